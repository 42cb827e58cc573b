import copy
import pickle

import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor, list_data_collate
from monai.transforms import Compose, RandFlipd
from monai.utils import set_determinism
from stand_in_synthesizer import StandInSynthesizer

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.transforms import RandCardiacSynthd
from monai_cardiacgen.transforms.base import RandBatchTransform, RandBatchTransformd
from monai_cardiacgen.transforms.provenance import read_records, real_record

KEYS = ("image", "label")


class RandAdd(RandBatchTransform[float]):
    """Add one drawn number to the first tensor, and the first spacing to the second."""

    spatial_dims = 2

    def sample(self, generator):
        return float(torch.rand((), generator=generator))

    def apply(self, tensors, spacings, choices):
        assert not any(isinstance(tensor, MetaTensor) for tensor in tensors)
        first, second = tensors
        numbers = torch.tensor(choices).reshape(-1, 1, 1, 1)
        steps = torch.tensor([spacing[0] for spacing in spacings]).reshape(-1, 1, 1, 1)
        return (first + numbers, second + steps.to(second.dtype)), [real_record() for _ in choices]

    def __call__(self, first, second):
        return self.draw_and_transform((first, second))


@pytest.fixture
def restore_determinism():
    yield
    set_determinism(None)


@pytest.fixture
def pairs(make_sample):
    return [{key: value for key, value in make_sample(seed=seed).items() if key in KEYS} for seed in range(6)]


def dictionary(prob=0.5):
    return RandBatchTransformd(KEYS, RandAdd(prob))


def test_the_dictionary_form_equals_the_array_form(pairs):
    array, mapped = RandAdd(0.5).set_random_state(4), dictionary().set_random_state(4)
    kept = 0
    for pair in pairs:
        by_array, by_key = array(pair["image"], pair["label"]), mapped(pair)
        assert torch.equal(by_array[0], by_key["image"])
        assert torch.equal(by_array[1], by_key["label"])
        kept += int(torch.equal(by_array[0], pair["image"]))
    assert 0 < kept < len(pairs)


def test_the_batch_form_equals_its_elements(pairs):
    mapped = dictionary().set_random_state(4)
    batch = list_data_collate(pairs)
    image, label = mapped.prepare_batch()(batch)
    choices = mapped.transform._choices
    assert {choice is None for choice in choices} == {True, False}
    for row, (pair, choice) in enumerate(zip(pairs, choices, strict=True)):
        alone = mapped.transform.transform_sample([pair["image"], pair["label"]], choice)
        assert torch.equal(image[row].as_tensor(), alone[0].as_tensor())
        assert torch.equal(label[row].as_tensor(), alone[1].as_tensor())


def test_a_batch_of_one_draws_like_a_sample(pairs):
    image, _ = dictionary(1.0).set_random_state(4).prepare_batch()(list_data_collate(pairs[:1]))
    assert torch.equal(image[0].as_tensor(), dictionary(1.0).set_random_state(4)(pairs[0])["image"].as_tensor())


def test_probability_decides_which_rows_and_not_what_they_become(pairs):
    batch = list_data_collate(pairs)
    always, _ = dictionary(1.0).set_random_state(1).prepare_batch()(batch)
    often, _ = dictionary(0.5).set_random_state(1).prepare_batch()(batch)
    changed = (often != batch["image"]).flatten(1).any(1)
    assert 0 < int(changed.sum()) < len(pairs)
    assert torch.equal(often[changed].as_tensor(), always[changed].as_tensor())


def test_rows_are_drawn_as_often_as_prob_says():
    transform = RandAdd(0.3).set_random_state(0)
    transform.randomize(4000)
    drawn = sum(choice is not None for choice in transform._choices) / 4000
    assert abs(drawn - 0.3) < 4 * (0.3 * 0.7 / 4000) ** 0.5


def test_nothing_is_changed_in_place_and_no_gradient_leaves(pairs):
    before = copy.deepcopy(pairs[0])
    pairs[0]["image"].requires_grad_(True)
    result = dictionary(1.0)(pairs[0])
    assert torch.equal(pairs[0]["image"], before["image"])
    assert pairs[0]["image"].meta == before["image"].meta
    assert not result["image"].requires_grad


def test_types_come_out_as_they_came(pairs):
    class Plain(RandAdd):
        def apply(self, tensors, spacings, choices):
            return tensors, [real_record() for _ in choices]

    image, label = Plain(1.0)(np.zeros((1, 4, 4), np.float64), torch.zeros(1, 4, 4, dtype=torch.uint8))
    assert isinstance(image, np.ndarray)
    assert image.dtype == np.float64
    assert type(label) is torch.Tensor
    assert label.dtype == torch.uint8


def test_missing_keys(pairs):
    lonely = {"image": pairs[0]["image"], "other": 1}
    with pytest.raises(KeyError, match="allow_missing_keys"):
        dictionary()(lonely)
    passed = RandBatchTransformd(KEYS, RandAdd(1.0), allow_missing_keys=True)(lonely)
    assert passed["image"] is lonely["image"]
    with pytest.raises(KeyError, match="one without"):
        dictionary().prepare_batch()({"image": pairs[0]["image"][None]})


@pytest.mark.parametrize("prob", [-0.1, 1.1, float("nan")])
def test_impossible_probabilities_are_refused(prob):
    with pytest.raises(InputError, match=r"prob in \[0, 1\]"):
        RandAdd(prob)


def test_the_batch_form_follows_set_determinism(pairs, restore_determinism):
    batch, results = list_data_collate(pairs), []
    for _ in range(2):
        set_determinism(7)
        results.append(dictionary().prepare_batch()(batch)[0].as_tensor())
    assert torch.equal(*results)


def test_the_batch_form_converts_as_the_engine_asks(pairs):
    image, label = dictionary(0.5).prepare_batch()(list_data_collate(pairs), "cpu", False, dtype=torch.float64)
    assert image.dtype == label.dtype == torch.float64


def synthetic_pipeline():
    synth = RandCardiacSynthd(KEYS, StandInSynthesizer(), prob=0.5, mode=("new", "vary", "restyle"))
    return Compose([RandFlipd(KEYS, prob=0.5), synth])


def load(pairs, workers, start=None, seed=11, shuffle=False, epochs=1):
    set_determinism(seed)
    loader = DataLoader(
        Dataset(pairs, synthetic_pipeline()),
        batch_size=2,
        num_workers=workers,
        shuffle=shuffle,
        multiprocessing_context=start,
    )
    batches = [batch for _ in range(epochs) for batch in loader]
    images = torch.cat([batch["image"].as_tensor() for batch in batches])
    records = [record for batch in batches for record in read_records(batch["image"])]
    return images, records


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_the_same_seed_repeats_with_the_same_number_of_forked_workers(pairs, workers, restore_determinism):
    start = "fork" if workers else None
    first, records = load(pairs, workers, start, shuffle=True, epochs=2)
    again, same = load(pairs, workers, start, shuffle=True, epochs=2)
    assert torch.equal(first, again)
    assert records == same
    assert {record["synthetic"] for record in records} == {True, False}
    other, _ = load(pairs, workers, start, seed=12, shuffle=True, epochs=2)
    assert not torch.equal(first, other)


def test_spawned_workers_give_what_forked_ones_give(pairs, restore_determinism):
    for workers in (1, 2):
        forked, records = load(pairs, workers, "fork")
        spawned, same = load(pairs, workers, "spawn")
        assert torch.equal(forked, spawned)
        assert records == same


@pytest.mark.parametrize("shuffle", [False, True])
def test_no_worker_and_one_agree_in_the_first_epoch(pairs, shuffle, restore_determinism):
    alone, records = load(pairs, 0, shuffle=shuffle)
    one, same = load(pairs, 1, "fork", shuffle=shuffle)
    assert torch.equal(alone, one)
    assert records == same


def test_the_batch_form_gives_the_same_whatever_the_number_of_workers(pairs, restore_determinism):
    results = []
    for workers in (0, 1, 2):
        set_determinism(5)
        prepare = RandCardiacSynthd(KEYS, StandInSynthesizer(), prob=0.5).prepare_batch()
        loader = DataLoader(Dataset(pairs), batch_size=2, num_workers=workers, shuffle=True)
        results.append(torch.cat([prepare(batch)[0].as_tensor() for batch in loader]))
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])


def test_copies_and_pickles_draw_on_alike(pairs):
    transform = RandCardiacSynthd(KEYS, StandInSynthesizer(), prob=1.0).set_random_state(3)
    transform(pairs[0])
    twins = [copy.deepcopy(transform), pickle.loads(pickle.dumps(transform))]
    expected = transform(pairs[1])["image"]
    for twin in twins:
        assert torch.equal(twin(pairs[1])["image"], expected)
