"""The solver of the intent model, over functions whose lowest place is known."""

import numpy as np
import numpy.typing as npt
import pytest

from nlu.components.lbfgs import minimise

Floats = npt.NDArray[np.float32]


class Bowl:
    """A quadratic function that is lowest, with 2, at ``lowest``; ``steepness`` differs by direction."""

    def __init__(self, lowest: Floats, steepness: Floats) -> None:
        self.lowest = lowest
        self.steepness = steepness
        self.asked = 0

    def __call__(self, place: Floats) -> tuple[float, Floats]:
        self.asked += 1
        away = place - self.lowest
        return 2.0 + 0.5 * float(away @ (self.steepness * away)), self.steepness * away


@pytest.fixture
def bowl() -> Bowl:
    dice = np.random.default_rng(5)
    return Bowl(dice.normal(size=50).astype(np.float32), np.geomspace(0.1, 100, 50).astype(np.float32))


def test_the_lowest_place_is_found(bowl: Bowl) -> None:
    found = minimise(bowl, np.zeros(50, np.float32), 200, 1e-9)
    assert found.loss == pytest.approx(2.0, abs=1e-4)
    assert found.place == pytest.approx(bowl.lowest, abs=0.02)
    assert found.steps < 300, "plain descent takes thousands"


def test_equal_starts_give_equal_places(bowl: Bowl) -> None:
    first, second = (minimise(bowl, np.zeros(50, np.float32), 20, 1e-9).place for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert first.dtype == np.float32


def test_it_stops_after_the_steps_it_may_take(bowl: Bowl) -> None:
    assert minimise(bowl, np.zeros(50, np.float32), 3, 0.0).steps == 3
    assert bowl.asked < 12


def test_it_stops_where_a_step_gains_too_little(bowl: Bowl) -> None:
    careless = minimise(bowl, np.zeros(50, np.float32), 200, 0.2)
    careful = minimise(bowl, np.zeros(50, np.float32), 200, 1e-9)
    assert careless.steps < careful.steps
    assert careless.loss > careful.loss


def test_it_stops_at_once_where_nothing_is_lower(bowl: Bowl) -> None:
    found = minimise(bowl, bowl.lowest.copy(), 200, 1e-9)
    assert found.place == pytest.approx(bowl.lowest)
    assert found.loss == pytest.approx(2.0)
