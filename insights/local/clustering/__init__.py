"""Clustering of statements: all at once, one by one, and what keeps both stable."""

from insights.local.clustering.grouping import (
    NAMES,
    NEW,
    NGRAM_TOPICS,
    NGRAMS,
    SENTENCES,
    TOPICS,
    Measure,
    rebuild,
)
from insights.local.clustering.identity import Carried, carry_ids
from insights.local.clustering.index import (
    NAME_THRESHOLDS,
    NGRAM_THRESHOLDS,
    NGRAM_TOPIC_THRESHOLDS,
    SENTENCE_THRESHOLDS,
    TOPIC_THRESHOLDS,
    Candidate,
    Decision,
    Index,
    Thresholds,
    Verdict,
)
from insights.local.clustering.ngrams import char_ngram_vectors, name_vector

__all__ = [
    "NAMES",
    "NAME_THRESHOLDS",
    "NEW",
    "NGRAMS",
    "NGRAM_THRESHOLDS",
    "NGRAM_TOPICS",
    "NGRAM_TOPIC_THRESHOLDS",
    "SENTENCES",
    "SENTENCE_THRESHOLDS",
    "TOPICS",
    "TOPIC_THRESHOLDS",
    "Candidate",
    "Carried",
    "Decision",
    "Index",
    "Measure",
    "Thresholds",
    "Verdict",
    "carry_ids",
    "char_ngram_vectors",
    "name_vector",
    "rebuild",
]
