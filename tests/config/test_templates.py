"""Every template compiles, also those that no test happens to render."""

from pathlib import Path

import pytest
from django.template import engines

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted(
    str(path.relative_to(folder))
    for folder in ROOT.glob("**/templates")
    if ".venv" not in folder.parts and "node_modules" not in folder.parts
    for path in folder.rglob("*.*")
    if path.is_file()
)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_compiles(name: str) -> None:
    engines["django"].get_template(name)
