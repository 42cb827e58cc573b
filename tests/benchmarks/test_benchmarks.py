"""The benchmarks compare like with like, and write what they measured."""

import json
import os

import pytest
import torch

from benchmarks.alternated import Clock, Comparison, Spread, in_a_process_of_its_own
from benchmarks.hearts import HARD_CASES, distinct_share, heart_maps, noisy, one_hot, soft
from benchmarks.machine import describe_machine, operations, peak_convolution
from benchmarks.painters import FLOOR, OURS, PUBLISHED, main_convolutions, painting_ways, pair_of, training_ways
from benchmarks.painting import compare_painting
from benchmarks.published_spade import PublishedGenerator, published_weights
from benchmarks.tables import as_markdown, write_results
from monai_cardiacgen.anatomy import ACDC, AnatomyCheck
from monai_cardiacgen.seeding import seeded

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pair():
    return pair_of(4, 128, 4, CPU)


def test_every_way_makes_the_same_image(pair):
    maps, style = pair.inputs(3)
    images = {name: way(maps, style) for name, way in painting_ways(pair, torch.float32).items()}
    assert float(images[PUBLISHED].std()) > 0.05  # or a difference would say nothing
    for image in images.values():
        torch.testing.assert_close(image, images[PUBLISHED], atol=1e-5, rtol=0)


def test_every_way_has_the_same_gradients():
    small = pair_of(2, 128, 4, CPU)
    gradients = {name: way(*small.inputs(0)) for name, way in training_ways(small).items()}
    largest = max(float(gradient.abs().max()) for gradient in gradients[PUBLISHED])
    for way in gradients.values():
        for gradient, expected in zip(way, gradients[PUBLISHED], strict=True):
            torch.testing.assert_close(gradient / largest, expected / largest, atol=1e-4, rtol=0)


def test_the_published_generator_is_as_large_as_its_paper_says():
    # Its appendix: seven residual blocks of 1024, 1024, 1024, 512, 256, 128 and 64 features, two convolutions each.
    network = PublishedGenerator(4, [1024, 1024, 1024, 512, 256, 128, 64], 256, 4)
    main = sum(
        w.numel() for name, w in network.named_parameters() if ".conv_" in name and w.ndim == 4 and w.shape[-1] == 3
    )
    pairs = [(1024, 1024)] * 3 + [(1024, 512), (512, 256), (256, 128), (128, 64)]
    assert main == 9 * sum(a * min(a, b) + min(a, b) * b for a, b in pairs)


def test_weights_that_the_published_one_lacks_must_be_zero(pair):
    state = dict(pair.ours.state_dict())
    state["blocks.0.noise_strength"] = torch.ones(3)
    with pytest.raises(ValueError, match="noise_strength"):
        published_weights(state)


def test_drawn_hearts_are_valid_and_new_each_turn(pair):
    labels = heart_maps(6, 128, 4, seeded(0))
    assert AnatomyCheck(ACDC)(labels, (350 / 128,) * 2).valid.all()
    assert set(heart_maps(3, 128, 9, seeded(0)).unique().tolist()) == set(range(9))
    assert not torch.equal(pair.inputs(0)[0], pair.inputs(1)[0])
    assert torch.equal(pair.inputs(1)[0], pair.inputs(1)[0])


def test_hard_cases_are_hard():
    label = heart_maps(1, 128, 4, seeded(0))
    shares = {name: distinct_share(change(label, 4, seeded(1))) for name, change in HARD_CASES.items()}
    assert shares["as drawn"] < 0.1 < 0.5 < shares["17 % of the pixels mislabelled"]
    assert shares["as drawn"] < shares["elastic noise on every border"]
    wrong = noisy(0.01)(label, 4, seeded(1)).argmax(dim=1) != label
    assert 0.004 < float(wrong.float().mean()) < 0.011  # a quarter of the random labels is right
    blurred = soft(label, 4, seeded(1))
    torch.testing.assert_close(blurred.sum(dim=1), torch.ones(1, 128, 128))
    assert 0 < float(((blurred > 0) & (blurred < 1)).float().mean()) < 0.2


def test_distinct_share_of_known_maps():
    assert distinct_share(one_hot(torch.zeros(1, 8, 8, dtype=torch.int64), 4)) == 25 / 64  # 5 x 5 places at a border
    assert distinct_share(one_hot(torch.randint(9, (1, 32, 32), generator=seeded(0)), 9)) == 1.0


def test_turns_alternate_and_differences_are_the_largest():
    seen, clock = [], Clock(CPU, budget=0.0, fewest=3)

    def way(name, offset):
        def call(x):
            seen.append((name, float(x)))
            return x + offset * x

        return call

    ways = {"a": way("a", 0.0), "b": way("b", 0.5), "timed only": lambda x: None}
    seconds, differences = clock.alternate(ways, lambda turn: (torch.tensor(float(turn)),), "a")
    assert [x for name, x in seen if name == "a"] == [x for name, x in seen if name == "b"] == [0.0, 1.0, 2.0, 3.0]
    assert all(len(times) == 3 for times in seconds.values())  # the first turn warms up
    assert differences == {"a": 0.0, "b": 1.5}


def test_a_ratio_is_taken_turn_by_turn():
    one = Comparison("painting", "case", "slow", {"slow": [2.0, 9.0, 4.0], "fast": [1.0, 3.0, 1.0]})
    assert one.times_less("fast") == Spread(3.0, 2.0, 4.0)


def test_operations_of_a_convolution_and_of_the_floor(pair):
    assert operations(peak_convolution(CPU, torch.float32)) == 2 * 512 * 512 * 9 * 64 * 64
    floor = operations(main_convolutions(pair, 1, torch.float32))
    expected = 0
    for level, (a, b) in enumerate([(64, 64)] * 3 + [(64, 32), (32, 16), (16, 8), (8, 4)]):
        shortcut = a * b if a != b else 0
        expected += 2 * (2 * 2**level) ** 2 * (9 * a * min(a, b) + 9 * min(a, b) * b + shortcut)
    assert floor == expected


def test_results_are_written_into_the_page(tmp_path):
    clock = Clock(CPU, budget=0.0, fewest=1)
    done = list(compare_painting(clock, (2,), (128,), (4,), (1,), (torch.float32,)))
    assert {PUBLISHED, OURS, FLOOR} <= set(done[0].values)
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- cpu -->\nold\n<!-- /cpu -->\nafter\n")
    write_results(tmp_path / "results", page, describe_machine(CPU), done)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("<!-- /cpu -->\nafter\n")
    assert "old" not in text
    assert "2 filters, 128 x 128, 4 labels" in text
    measured = json.loads((tmp_path / "results" / "cpu.json").read_text())
    assert measured["comparisons"][0]["values"][OURS] == done[0].values[OURS]
    assert as_markdown(measured["machine"], done) == (tmp_path / "results" / "cpu.md").read_text()


def test_a_later_run_replaces_the_same_cases_only(tmp_path):
    machine = {"processor": "one"}
    first, second = (
        Comparison("painting", case, "slow", {"slow": [2.0], "fast": [1.0]}) for case in ("first", "second")
    )
    write_results(tmp_path, None, machine, [first, second])
    again = Comparison("painting", "first", "slow", {"slow": [9.0], "fast": [1.0]})
    write_results(tmp_path, None, machine, [again])
    cases = {
        one["case"]: one["values"]["slow"] for one in json.loads((tmp_path / "cpu.json").read_text())["comparisons"]
    }
    assert cases == {"first": [9.0], "second": [2.0]}
    write_results(tmp_path, None, {"processor": "another"}, [again])
    assert len(json.loads((tmp_path / "cpu.json").read_text())["comparisons"]) == 1


def one_comparison(threads_wanted):
    yield Comparison("painting", str(os.getpid()), "way", {"way": [float(torch.get_num_threads() - threads_wanted)]})


def test_a_process_of_its_own_has_as_many_threads():
    (done,) = in_a_process_of_its_own(one_comparison, torch.get_num_threads())
    assert done.case != str(os.getpid())
    assert done.values == {"way": [0.0]}
