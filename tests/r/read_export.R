# What R's posterior makes of a table that `tadpool export --to csv` wrote, as JSON on stdout.
#
# Usage: Rscript read_export.R TABLE.csv, as tests/arviz/check_export.py runs it.

suppressMessages({
  library(jsonlite)
  library(posterior)
})

draws <- as_draws_df(read.csv(commandArgs(trailingOnly = TRUE)[1], check.names = FALSE))
found <- summarise_draws(draws, mean, rhat, ess_bulk)
cat(toJSON(list(
  chains = nchains(draws), iterations = niterations(draws), names = variables(draws),
  mean = found$mean, rhat = found$rhat, ess_bulk = found$ess_bulk
), auto_unbox = TRUE, digits = NA))
