import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

from polyethos.representation.directions import DIRECTIONS, difference_in_means, lda, principal_component

# More dimensions than pairs, and more pairs than dimensions.
SHAPES = [(40, 200), (200, 20)]


def planted(
    n: int, hidden: int, *, strength: float = 3.0, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Differences with noise of unit variance around `strength` times a unit direction."""
    random = np.random.default_rng(seed)
    direction = random.normal(size=hidden)
    direction /= np.linalg.norm(direction)
    return (strength * direction + random.normal(size=(n, hidden))).astype(np.float32), direction


def cosine(one: NDArray[np.float32], other: NDArray[np.float64]) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.mark.parametrize("method", sorted(DIRECTIONS))
@pytest.mark.parametrize(("n", "hidden"), SHAPES)
def test_a_planted_direction_is_recovered(method: str, n: int, hidden: int):
    differences, direction = planted(n, hidden)
    assert cosine(DIRECTIONS[method](differences), direction) > 0.75


@pytest.mark.parametrize("method", sorted(DIRECTIONS))
@pytest.mark.parametrize(("n", "hidden"), SHAPES)
def test_the_mean_difference_never_projects_below_zero(method: str, n: int, hidden: int):
    for seed in range(5):
        differences, _ = planted(n, hidden, strength=0.1, seed=seed)
        assert differences.mean(axis=0) @ DIRECTIONS[method](differences) >= 0


@pytest.mark.parametrize("method", sorted(DIRECTIONS))
def test_mirrored_differences_give_the_mirrored_direction(method: str):
    differences, _ = planted(30, 50)
    mirrored = DIRECTIONS[method](-differences)
    np.testing.assert_allclose(mirrored, -DIRECTIONS[method](differences), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("method", sorted(DIRECTIONS))
def test_no_differences_at_all_give_a_finite_direction_of_the_right_size(method: str):
    direction = DIRECTIONS[method](np.zeros((4, 6), dtype=np.float32))
    assert (direction.shape, direction.dtype) == ((6,), np.float32)
    assert not direction.any()


@pytest.mark.parametrize("method", sorted(DIRECTIONS))
def test_a_single_pair_points_along_its_own_difference(method: str):
    difference = np.array([[1.0, -2.0, 0.5]], dtype=np.float32)
    assert cosine(DIRECTIONS[method](difference), difference[0].astype(np.float64)) > 0.999


def test_difference_in_means_is_the_mean_summed_in_double_precision():
    differences = np.full((100_000, 1), 0.1, dtype=np.float32)
    differences[0] = 10_000
    assert difference_in_means(differences)[0] == np.float32((10_000 + 99_999 * float(np.float32(0.1))) / 100_000)


def test_the_principal_component_is_not_centred():
    differences = np.array([[5, 1], [5, -1], [5, 1], [5, -1]], dtype=np.float32)
    np.testing.assert_allclose(principal_component(differences), [1, 0], atol=1e-6)


def test_lda_ignores_an_axis_that_is_all_noise():
    random = np.random.default_rng(0)
    differences = np.stack([1 + 0.1 * random.normal(size=500), 1 + 30 * random.normal(size=500)], axis=1)
    direction = lda(differences.astype(np.float32))
    assert abs(direction[1]) < 0.1 * direction[0]


@pytest.mark.parametrize(("n", "hidden"), SHAPES)
def test_lda_solves_the_system_with_the_covariance_of_ledoit_and_wolf(n: int, hidden: int):
    differences, _ = planted(n, hidden)
    exact = differences.astype(np.float64)
    expected = np.linalg.solve(ledoit_wolf(exact)[0], exact.mean(axis=0))
    np.testing.assert_allclose(lda(differences), expected, rtol=1e-4, atol=1e-6)
