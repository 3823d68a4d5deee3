from __future__ import annotations

import io
import tempfile
from pathlib import Path

import pytest
from PIL import Image

from mldr.builders.pictures import normalised, perceptual_hashes
from mldr.builders.pipeline import create
from mldr.builders.recipe import load_recipe
from mldr.builders.sources.record import SourceImage
from mldr.errors import InputError
from mldr.executors import Executor, LocalExecutor, RayExecutor
from mldr.progress import Progress
from tests.builders.support import corpus, tree_bytes
from tests.conftest import picture
from tests.ray_here import ray_here

__all__ = ["ray_here"]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus(tmp_path_factory.mktemp("recipe"), 200, 40)


def build(recipe: Path, out: Path, executor: Executor) -> Path:
    return create(load_recipe(recipe), recipe.parent, out, executor=executor)


def test_a_build_on_ray_has_the_bytes_of_a_local_one_with_and_without_a_depot(
    ray_here: RayExecutor, recipe: Path, tmp_path: Path
) -> None:
    expected = tree_bytes(build(recipe, tmp_path / "one", LocalExecutor(1)))
    assert sum(name.endswith(".parquet") for name in expected) >= 2
    assert tree_bytes(build(recipe, tmp_path / "two", LocalExecutor(2))) == expected
    assert tree_bytes(build(recipe, tmp_path / "shared", ray_here)) == expected
    with RayExecutor(depot=(tmp_path / "depot").as_uri()) as executor:
        assert tree_bytes(build(recipe, tmp_path / "shipped", executor)) == expected
    assert list((tmp_path / "depot").iterdir()) == []


def test_broken_pictures_are_the_same_faults_on_ray(ray_here: RayExecutor, tmp_path: Path) -> None:
    recipe = corpus(tmp_path / "recipe", 60, 40)
    (recipe.parent / "pictures" / "3.png").write_bytes(b"no picture")
    (recipe.parent / "pictures" / "9.png").write_bytes(picture()[:60])
    told = []
    with RayExecutor(depot=str(tmp_path / "depot")) as shipped:
        executors: list[Executor] = [LocalExecutor(1), ray_here, shipped]
        for number, executor in enumerate(executors):
            with pytest.raises(InputError) as caught:
                build(recipe, tmp_path / f"out{number}", executor)
            told.append(sorted(map(str, caught.value.faults), key=lambda fault: fault.partition("image ")[2]))
        (run,) = [folder.name for folder in (tmp_path / "depot").iterdir()]
    assert len(told[0]) == 2
    assert "image 'src/i3', 3.png: not a picture" in told[0][0]
    assert told[0] == told[1] == told[2]
    assert not Path(tempfile.gettempdir(), run).exists(), "a machine keeps files of the run"


def test_pictures_and_their_hashes_come_back_through_a_depot(ray_here: RayExecutor, tmp_path: Path) -> None:
    contents = {f"i{n}": noise(n, "JPEG" if n % 2 else "PNG") for n in range(40)}
    images = {}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        images[f"src/{name}"] = SourceImage(f"src/{name}", str(tmp_path / name))
    found = []
    with RayExecutor(depot=str(tmp_path / "depot")) as shipped:
        executors: list[Executor] = [LocalExecutor(1), ray_here, shipped]
        for number, executor in enumerate(executors):
            pictures = normalised(images, tmp_path / f"work{number}", False, executor)
            hashes = perceptual_hashes(pictures, executor, Progress())
            found.append((tree_bytes(tmp_path / f"work{number}"), pictures.keys(), hashes))
    assert len(set(found[0][2].values())) > 10
    assert found[0] == found[1] == found[2]


def noise(number: int, kind: str) -> bytes:
    """Return a picture of noise: its hash is its own."""
    buffer = io.BytesIO()
    Image.effect_noise((60, 40 + number), 100).save(buffer, kind)
    return buffer.getvalue()
