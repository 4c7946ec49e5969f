//! Pieces of work spread over threads; what each piece writes is its own, so that no number depends on the threads.

use std::sync::Mutex;

/// Does `work` on every piece, on up to `threads` threads; with one, on the calling thread.
///
/// Returns what each piece made, in the order of the pieces.
pub fn in_parallel<T: Send, R: Send>(pieces: Vec<T>, threads: usize, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = threads.min(pieces.len());
    if threads <= 1 {
        return pieces.into_iter().map(work).collect();
    }
    let count = pieces.len();
    let queue = Mutex::new(pieces.into_iter().enumerate());
    // A panic inside of `work` ends the scope with that panic, so that the locks are not seen poisoned.
    let next = || queue.lock().ok().and_then(|mut queue| queue.next());
    let mut made: Vec<Option<R>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut made = Vec::new();
                    while let Some((place, piece)) = next() {
                        made.push((place, work(piece)));
                    }
                    made
                })
            })
            .collect();
        let mut all: Vec<Option<R>> = (0..count).map(|_| None).collect();
        for worker in workers {
            match worker.join() {
                Ok(made) => made
                    .into_iter()
                    .for_each(|(place, result)| all[place] = Some(result)),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    made.iter_mut().filter_map(Option::take).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_pieces() {
        for threads in [1, 3, 64] {
            let mut numbers = vec![0u64; 1000];
            let pieces: Vec<_> = numbers.chunks_mut(7).enumerate().collect();
            let sums = in_parallel(pieces, threads, |(place, piece)| {
                for (k, number) in piece.iter_mut().enumerate() {
                    *number = (7 * place + k) as u64;
                }
                piece.iter().sum::<u64>()
            });
            assert_eq!(sums.iter().sum::<u64>(), 499_500);
            assert_eq!(sums[1], (7..14).sum::<u64>());
            assert!(numbers.iter().enumerate().all(|(k, number)| *number == k as u64));
        }
        assert_eq!(in_parallel(Vec::<u32>::new(), 4, |x| x), [0u32; 0]);
    }
}
