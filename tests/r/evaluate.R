# What R's posterior and loo make of the draws in a JSON file, as JSON on stdout.
#
# Usage: Rscript evaluate.R INPUT.json, as tests/elpd/peers.rs runs it. The input holds `chains`, `quantities` (a list of
# name and values, chain after chain), `log_lik` (for each row its values, chain after chain) and `r_eff` (one for each
# row). loo's example array is read from the installed package and returned with what loo makes of it.

suppressMessages({
  library(jsonlite)
  library(loo)
  library(posterior)
})
options(mc.cores = 1)

input <- fromJSON(commandArgs(trailingOnly = TRUE)[1], simplifyVector = TRUE, simplifyDataFrame = FALSE, simplifyMatrix = FALSE)

diagnostics <- function(quantity) {
  x <- matrix(as.numeric(quantity$values), ncol = input$chains)
  list(
    rhat = rhat(x), ess_bulk = ess_bulk(x), ess_tail = ess_tail(x), ess_mean = ess_mean(x),
    ess_q10 = ess_quantile(x, 0.1), ess_q50 = ess_quantile(x, 0.5), mcse_mean = mcse_mean(x), mcse_sd = mcse_sd(x),
    mcse_q10 = mcse_quantile(x, 0.1), mcse_median = mcse_median(x)
  )
}

# The function of its values that relative_eff of recent versions of loo is: the ESS of posterior.
efficiency <- function(log_lik) {
  apply(log_lik, 3, function(x) ess_mean(exp(x)) / length(x))
}

estimates <- function(found) {
  list(
    elpd = found$pointwise[, 1], estimate = unname(found$estimates[1:2, "Estimate"]),
    se = unname(found$estimates[1, "SE"])
  )
}

log_lik <- sapply(input$log_lik, as.numeric)
draws <- nrow(log_lik)
as_array <- array(log_lik, c(draws / input$chains, input$chains, ncol(log_lik)))
smoothed <- suppressWarnings(psis(-log_lik, r_eff = input$r_eff))
by_loo <- suppressWarnings(loo(log_lik, r_eff = input$r_eff))
by_waic <- suppressWarnings(waic(log_lik))

example <- example_loglik_array()
example_r_eff <- efficiency(example)
result <- list(
  versions = paste("posterior", packageVersion("posterior"), "loo", packageVersion("loo")),
  quantities = lapply(input$quantities, diagnostics),
  r_eff = efficiency(as_array),
  pareto_k = pareto_k_values(smoothed),
  log_weights = lapply(seq_len(ncol(log_lik)), function(row) weights(smoothed, log = TRUE, normalize = TRUE)[, row]),
  loo = c(estimates(by_loo), list(p = by_loo$pointwise[, "p_loo"])),
  waic = c(estimates(by_waic), list(p = by_waic$pointwise[, "p_waic"])),
  example = list(
    chains = dim(example)[2],
    log_lik = lapply(seq_len(dim(example)[3]), function(row) as.vector(example[, , row])),
    r_eff = example_r_eff,
    loo = estimates(suppressWarnings(loo(example, r_eff = example_r_eff))),
    waic = estimates(suppressWarnings(waic(example)))
  )
)
# All digits of a double; infinities and NaN as text.
cat(toJSON(result, digits = NA, auto_unbox = TRUE, na = "string"))
