//! Job scripts for Slurm: one array of tasks, a shard each, and the job that merges them.

use std::fmt::Write;
use std::str::FromStr;

use crate::error::{Error, Result};

/// What a study asks of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Name of the job; what Slurm would not take in one becomes `-`.
    pub name: String,
    /// The program, `tadpool` or its path.
    pub program: String,
    /// The study's words on the command line, `study sbc MODEL --data CSV …`, without those that the script adds.
    pub words: Vec<String>,
    /// The folder of the study, which all nodes see.
    pub out: String,
    /// Shards, which are tasks of the array.
    pub shards: u32,
    /// Cores of each task.
    pub cpus: u32,
    /// Memory of each task, in MiB.
    pub memory: u64,
    /// After which Slurm ends a task.
    pub time: TimeLimit,
    /// Partition, if not the cluster's default.
    pub partition: Option<String>,
    /// Account, if not the user's default.
    pub account: Option<String>,
    /// Further options of `sbatch`, `--constraint=avx512` say.
    pub options: Vec<String>,
}

/// A time as Slurm takes it: `30` (minutes), `45:00`, `2:00:00`, `1-12`, `1-12:30` or `1-12:30:00`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeLimit(String);

impl FromStr for TimeLimit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (days, clock) = text
            .split_once('-')
            .map_or((None, text), |(days, clock)| (Some(days), clock));
        let is_number =
            |part: &str| (1..=6).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        let parts: Vec<&str> = clock.split(':').collect();
        let is_whole =
            days.is_none_or(is_number) && parts.len() <= 3 && parts.iter().all(|part| is_number(part));
        let is_zero = text.bytes().all(|byte| !byte.is_ascii_digit() || byte == b'0');
        if is_whole && !is_zero {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::user(format!("`{text}` is no time limit that Slurm takes"))
            .with_help("give minutes, or hours as `2:00:00`, or days and hours as `1-12`"))
    }
}

/// Flags that the script sets itself, and how.
const OWN: [(&str, &str); 4] = [
    ("--shard", "the script gives each task its shard"),
    ("--resume", "the script goes on with what is there in any case"),
    (
        "--threads",
        "the script takes as many threads as a task has cores",
    ),
    ("--out", "the script sets the folder"),
];

/// Options of `sbatch` that the scripts set themselves, or that would keep them from being jobs.
const SET: [&str; 18] = [
    "--array",
    "--requeue",
    "--no-requeue",
    "--job-name",
    "--nodes",
    "--ntasks",
    "--cpus-per-task",
    "--mem",
    "--mem-per-cpu",
    "--mem-per-gpu",
    "--time",
    "--output",
    "--open-mode",
    "--partition",
    "--account",
    "--test-only",
    "--wait",
    "--wrap",
];

/// Checks an option that is handed on to `sbatch`.
fn check_option(option: &str) -> Result<()> {
    let (name, value) = option.split_once('=').unwrap_or((option, ""));
    // Sbatch takes the beginning of a name for the whole.
    if name.len() > 2
        && let Some(own) = SET.iter().find(|own| own.starts_with(name))
    {
        return Err(Error::user(format!(
            "`{own}` is the script's own business and cannot be handed on to sbatch"
        ))
        .with_help("see `tadpool study slurm --help` for what can be set"));
    }
    let is_name = name.strip_prefix("--").is_some_and(|name| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    });
    // Slurm reads a line up to a `#`, quotes apart, and blanks part its words.
    let is_value = value
        .chars()
        .all(|c| c.is_ascii_graphic() && !"#\"'\\".contains(c));
    if is_name && is_value {
        return Ok(());
    }
    Err(
        Error::user(format!("`{option}` is no option that can be handed on to sbatch"))
            .with_help("write it in one word with its whole name, such as `--constraint=avx512`"),
    )
}

/// The script that fits the study: an array of tasks, each a shard.
///
/// Every task goes on with what it finds, so that Slurm may begin it again, and so that the whole script can be submitted
/// again after a failure. It becomes tadpool by `exec`, so that Slurm's signals reach it.
///
/// # Errors
///
/// A user error for a flag or an option of `sbatch` that the script sets itself, for a partition, account or option that
/// Slurm would not take, or for no shard, core or memory.
pub fn array_script(job: &Job) -> Result<String> {
    for word in &job.words {
        let flag = word.split_once('=').map_or(word.as_str(), |(flag, _)| flag);
        if let Some((_, why)) = OWN.iter().find(|(own, _)| *own == flag) {
            return Err(Error::user(format!(
                "`{flag}` has no place in a job script: {why}"
            )));
        }
    }
    for (what, count) in [
        ("shard", job.shards.into()),
        ("core", job.cpus.into()),
        ("MiB of memory", job.memory),
    ] {
        if count == 0 {
            return Err(Error::user(format!(
                "a job needs at least 1 {what}, but 0 were given"
            )));
        }
    }
    let mut text = head(
        job,
        "Fits a study, a shard in each task. What is done is kept, and not done again: after a failure, or where the time\n\
         # was too short, submit the script again. Submit it in the folder that its paths are relative to.",
        &format!("#SBATCH --array=1-{}\n#SBATCH --requeue\n", job.shards),
        ("%A_%a", job.cpus),
    )?;
    let words: Vec<String> = job.words.iter().map(|word| quoted(word)).collect();
    let _ = writeln!(
        text,
        "# By `exec` the signals that Slurm sends before it ends a task reach tadpool itself.\n\
         exec {} {} \\\n    --threads \"$SLURM_CPUS_PER_TASK\" --shard \"$SLURM_ARRAY_TASK_ID/{}\" --resume --out {}",
        quoted(&job.program),
        words.join(" "),
        job.shards,
        quoted(&job.out)
    );
    Ok(text)
}

/// The script that merges the study once all tasks of the array are done.
///
/// # Errors
///
/// As [`array_script`].
pub fn merge_script(job: &Job) -> Result<String> {
    let mut text = head(
        job,
        "Merges the shards of a study, once all are there.",
        "",
        ("%j", 1),
    )?;
    let out = quoted(&job.out);
    let _ = writeln!(
        text,
        "exec {} study merge {out} --out {out}",
        quoted(&job.program)
    );
    Ok(text)
}

/// The commands that submit both scripts, by the files that they were written to.
pub fn submission(array: &str, merge: &str) -> String {
    format!(
        "job=$(sbatch --parsable {})\nsbatch --dependency=\"afterok:${{job%%;*}}\" --kill-on-invalid-dep=yes {}\n",
        quoted(array),
        quoted(merge)
    )
}

/// The lines for Slurm; `log` is its pattern for the number of the job.
fn head(job: &Job, purpose: &str, more: &str, (log, cpus): (&str, u32)) -> Result<String> {
    let name: String = job
        .name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '-'
            }
        })
        .collect();
    let mut text = format!(
        "#!/bin/bash\n# {purpose}\n#SBATCH --job-name=tadpool-{name}\n{more}#SBATCH --nodes=1\n#SBATCH --ntasks=1\n\
         #SBATCH --cpus-per-task={cpus}\n#SBATCH --mem={}M\n#SBATCH --time={}\n\
         #SBATCH --output=tadpool-{name}-{log}.log\n#SBATCH --open-mode=append\n",
        job.memory, job.time.0
    );
    for (flag, value) in [("partition", &job.partition), ("account", &job.account)] {
        let Some(value) = value else { continue };
        // Slurm takes lists of them; anything else would run on into the script.
        if value.is_empty() || !value.chars().all(|c| c.is_alphanumeric() || "._-,+@".contains(c)) {
            return Err(Error::user(format!(
                "`{value}` is no name of {flag} that Slurm takes"
            )));
        }
        let _ = writeln!(text, "#SBATCH --{flag}={value}");
    }
    for option in &job.options {
        check_option(option)?;
        let _ = writeln!(text, "#SBATCH {option}");
    }
    text.push_str("\nset -euo pipefail\n");
    Ok(text)
}

/// A word as a POSIX shell reads it back.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./,:=+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn job() -> Job {
        Job {
            name: "m12 2/β".into(),
            program: "tadpool".into(),
            words: [
                "study",
                "sbc",
                "my model.tad",
                "--data",
                "it's.csv",
                "--set",
                "a=$HOME",
            ]
            .map(String::from)
            .into(),
            out: "out put".into(),
            shards: 8,
            cpus: 4,
            memory: 1500,
            time: "2:00:00".parse().expect("a time"),
            partition: None,
            account: Some("lab,x".into()),
            options: vec!["--constraint=avx512".into(), "--gres=gpu:1".into()],
        }
    }

    #[test]
    fn the_array_asks_for_what_the_job_says() {
        let text = array_script(&job()).expect("a job");
        for line in [
            "#SBATCH --job-name=tadpool-m12-2--",
            "#SBATCH --array=1-8",
            "#SBATCH --cpus-per-task=4",
            "#SBATCH --mem=1500M",
            "#SBATCH --time=2:00:00",
            "#SBATCH --requeue",
            "#SBATCH --output=tadpool-m12-2---%A_%a.log",
            "#SBATCH --account=lab,x",
            "#SBATCH --constraint=avx512",
            "#SBATCH --gres=gpu:1",
        ] {
            assert!(text.lines().any(|own| own == line), "{line}\n{text}");
        }
        assert!(!text.contains("partition"), "{text}");
        // Slurm reads its lines up to the first command.
        let command = text.find("\nset -euo").expect("a command");
        assert!(
            text.rfind("#SBATCH").expect("lines for Slurm") < command,
            "{text}"
        );
        let merge = merge_script(&job()).expect("a job");
        assert!(
            merge.ends_with("\nexec tadpool study merge 'out put' --out 'out put'\n"),
            "{merge}"
        );
        assert!(
            !merge.contains("--array") && merge.contains("#SBATCH --cpus-per-task=1\n"),
            "{merge}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn the_shell_reads_the_words_back() {
        let odd = [
            "",
            "a b",
            "it's",
            "'",
            "$HOME `x` \"y\" \\",
            "line\nline",
            "~",
            "*",
            "#x",
            "!",
            "β",
            "a=1;b",
        ];
        let mut job = job();
        job.words.extend(odd.map(String::from));
        job.program = "show words".into();
        let text = array_script(&job).expect("a job");
        let script = format!(
            "exec() {{ printf '%s\\0' \"$@\"; }}\nSLURM_CPUS_PER_TASK=4 SLURM_ARRAY_TASK_ID=3\n{text}"
        );
        let out = Command::new("bash")
            .args(["-c", &script])
            .output()
            .expect("a shell");
        let said = String::from_utf8(out.stdout).expect("UTF-8");
        let mut expected = vec!["show words".to_owned()];
        expected.extend(job.words);
        expected
            .extend(["--threads", "4", "--shard", "3/8", "--resume", "--out", "out put"].map(String::from));
        let words: Vec<&str> = said.strip_suffix('\0').expect("words").split('\0').collect();
        assert_eq!(words, expected);
    }

    #[test]
    fn what_would_not_do_is_refused() {
        let said = |change: &dyn Fn(&mut Job)| {
            let mut job = job();
            change(&mut job);
            array_script(&job).expect_err("a fault").message().to_owned()
        };
        assert_eq!(
            said(&|job| job.words.push("--shard=1/2".into())),
            "`--shard` has no place in a job script: the script gives each task its shard"
        );
        assert!(said(&|job| job.words.push("--threads".into())).contains("as many threads"));
        assert_eq!(
            said(&|job| job.shards = 0),
            "a job needs at least 1 shard, but 0 were given"
        );
        assert!(said(&|job| job.partition = Some("a\nrm -rf b".into())).contains("no name of partition"));
        assert_eq!(
            said(&|job| job.options.push("--mem=9G".into())),
            "`--mem` is the script's own business and cannot be handed on to sbatch"
        );
        assert!(said(&|job| job.options.push("--arr=1-2".into())).contains("`--array` is the script's"));
        for option in [
            "",
            "--",
            "-C avx512",
            "constraint",
            "--x=a b",
            "--x=a\nb",
            "--x=#",
            "--x=\"y\"",
            "--x y",
        ] {
            let said = said(&|job| job.options.push(option.into()));
            assert_eq!(
                said,
                format!("`{option}` is no option that can be handed on to sbatch")
            );
        }
        for text in ["30", "45:00", "2:00:00", "1-12", "1-12:30", "1-12:30:00"] {
            assert_eq!(text.parse(), Ok(TimeLimit(text.to_owned())));
        }
        for text in [
            "", "0", "0:00", "2h", "-5", "1-", "1:2:3:4", "1-2-3", "1\n2", "9999999",
        ] {
            assert!(text.parse::<TimeLimit>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_merge_waits_for_the_array() {
        assert_eq!(
            submission("a b.sbatch", "merge.sbatch"),
            "job=$(sbatch --parsable 'a b.sbatch')\nsbatch --dependency=\"afterok:${job%%;*}\" \
             --kill-on-invalid-dep=yes merge.sbatch\n"
        );
    }
}
