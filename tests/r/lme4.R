# What lme4 makes of a formula and a table, as JSON on stdout.
#
# Usage: Rscript lme4.R TABLE.csv FAMILY FORMULA, as tests/r/check_lme4.py runs it; FAMILY is gaussian (by REML) or binomial
# (by maximum likelihood, its integral over the one varying effect by nine points of quadrature).

suppressMessages({
  library(jsonlite)
  library(lme4)
})

given <- commandArgs(trailingOnly = TRUE)
table <- read.csv(given[1], stringsAsFactors = TRUE)
formula <- as.formula(given[3])
fit <- if (given[2] == "gaussian") lmer(formula, table) else glmer(formula, table, family = given[2], nAGQ = 9)
messages <- fit@optinfo$conv$lme4$messages

coefficients <- coef(summary(fit))
# One row for each standard deviation (var2 missing) and correlation, the residual last.
varying <- as.data.frame(VarCorr(fit))
cat(toJSON(list(
  version = paste("lme4", packageVersion("lme4")),
  complaints = as.character(c(messages, if (isSingular(fit)) "singular fit")),
  terms = rownames(coefficients), estimates = coefficients[, "Estimate"], errors = coefficients[, "Std. Error"],
  varying = varying[, c("grp", "var1", "var2", "sdcor")]
), digits = NA, na = "null"))
