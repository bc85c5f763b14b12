"""Clustering of statements: all at once, one by one, and what keeps both stable."""

from insights.local.clustering.grouping import NEW, NGRAMS, SENTENCES, Measure, rebuild
from insights.local.clustering.identity import Carried, carry_ids
from insights.local.clustering.index import (
    NGRAM_THRESHOLDS,
    SENTENCE_THRESHOLDS,
    Candidate,
    Decision,
    Index,
    Thresholds,
    Verdict,
)
from insights.local.clustering.ngrams import char_ngram_vectors

__all__ = [
    "NEW",
    "NGRAMS",
    "NGRAM_THRESHOLDS",
    "SENTENCES",
    "SENTENCE_THRESHOLDS",
    "Candidate",
    "Carried",
    "Decision",
    "Index",
    "Measure",
    "Thresholds",
    "Verdict",
    "carry_ids",
    "char_ngram_vectors",
    "rebuild",
]
