"""Files that other applications export: which application's they are, and their rows as feedback or as examples."""

from sources.exports.examples import Example, ExampleResult, example_results
from sources.exports.feedback import feedback_results, is_exported
from sources.exports.records import named, table_rows
from sources.exports.shapes import Shape, recognise, shape_of, shapes

__all__ = [
    "Example",
    "ExampleResult",
    "Shape",
    "example_results",
    "feedback_results",
    "is_exported",
    "named",
    "recognise",
    "shape_of",
    "shapes",
    "table_rows",
]
