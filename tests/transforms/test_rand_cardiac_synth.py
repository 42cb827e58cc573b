import copy
import inspect
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.bundle import ConfigParser
from monai.data import CacheDataset, DataLoader, Dataset, MetaTensor, decollate_batch, list_data_collate
from monai.engines import SupervisedTrainer
from monai.losses import DiceCELoss
from monai.transforms import (
    CenterSpatialCropd,
    Compose,
    Invertd,
    LoadImaged,
    RandRotate90d,
    SaveImage,
    Spacingd,
)
from small_hearts import hearts, tiny_synthesizer
from stand_in_synthesizer import StandInSynthesizer, heart

from monai_cardiacgen.errors import InputError, IntensityError, LabelError, ShapeError, SpacingError
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.transforms import RandCardiacSynth, RandCardiacSynthd
from monai_cardiacgen.transforms.provenance import META_KEY, read_records, real_record

KEYS = ("image", "label")
MODES = ("new", "vary", "restyle")


def synthd(synthesizer, prob=1.0, mode="vary", seed=0, **arguments):
    return RandCardiacSynthd(KEYS, synthesizer, prob, mode, **arguments).set_random_state(seed)


def same(one, other):
    """Whether two samples agree in every key, bit, dtype, affine and record."""
    return one.keys() == other.keys() and all(
        torch.equal(one[key], other[key])
        and one[key].dtype == other[key].dtype
        and torch.equal(one[key].affine, other[key].affine)
        and read_records(one[key]) == read_records(other[key])
        if isinstance(one[key], MetaTensor)
        else one[key] == other[key]
        for key in one
    )


# --- what it makes --------------------------------------------------------------------------------------------------


def test_a_new_case_is_the_synthesizers_own_in_the_samples_intensities(synthesizer, make_sample):
    sample = make_sample()
    result = synthd(synthesizer, mode="new", intensity_range=(-50.0, 150.0))(sample)
    seed = result["image"].meta[META_KEY]["seed"]
    case = synthesizer.sample(1, [seeded(seed)])
    assert torch.equal(result["label"].as_tensor(), case.label)
    assert torch.allclose(result["image"].as_tensor(), case.image[0] * 200 - 50, atol=1e-4)


def test_vary_keeps_the_surroundings_bit_for_bit(synthesizer, make_sample):
    sample = make_sample((64, 56))
    result = synthd(synthesizer)(sample)
    hearts = (sample["label"] > 0) | (result["label"] > 0)
    changed = result["image"] != sample["image"]
    assert bool(changed.any())
    assert bool(hearts[changed].all())


def test_restyle_keeps_the_label_bit_for_bit(synthesizer, make_sample):
    sample = make_sample()
    result = synthd(synthesizer, mode="restyle")(sample)
    assert torch.equal(result["label"], sample["label"])
    assert float((result["image"] != sample["image"]).float().mean()) > 0.99


@pytest.mark.parametrize("mode", MODES)
def test_intensities_stay_in_the_samples_range(synthesizer, make_sample, mode):
    sample = make_sample()
    result = synthd(synthesizer, mode=mode)(sample)["image"]
    assert float(result.min()) >= float(sample["image"].min()) - 1e-3
    assert float(result.max()) <= float(sample["image"].max()) + 1e-3


@settings(deadline=None, max_examples=30)
@given(
    size=st.tuples(st.integers(20, 32), st.integers(20, 32)),
    spacing=st.sampled_from([(1.5, 1.5), (1.2, 1.4), (1.49, 1.51)]),
    depth=st.sampled_from([None, 4]),
    mode=st.sampled_from(MODES),
    image_dtype=st.sampled_from([torch.float16, torch.float32, torch.float64, torch.int16, torch.int32, torch.uint8]),
    label_dtype=st.sampled_from([torch.uint8, torch.int16, torch.int64, torch.float32]),
    codes=st.one_of(st.none(), st.lists(st.integers(0, 250), min_size=4, max_size=4, unique=True)),
    one_hot=st.booleans(),
    low=st.sampled_from([0.0, 5.0]),
    seed=st.integers(0, 2**31),
)
def test_shape_dtype_affine_metadata_and_other_keys_survive(
    size, spacing, depth, mode, image_dtype, label_dtype, codes, one_hot, low, seed
):
    if mode == "new":
        depth = None
    shape = size if depth is None else (*size, depth)
    channels = heart(size, [(side - 1) / 2 for side in size], 4.0)
    channels = channels if depth is None else channels[..., None].expand(shape)
    order = (0, 1, 2, 3) if codes is None else codes
    label = torch.tensor(order)[channels][None] if not one_hot else torch.stack([channels == c for c in range(4)])
    image = (low + 200 * torch.rand(1, *shape, generator=seeded(seed))).to(image_dtype)
    affine = torch.diag(torch.tensor([*spacing, 9.0, 1.0], dtype=torch.float64))
    sample = {
        "image": MetaTensor(image, affine=affine, meta={"patient": "p1"}),
        "label": MetaTensor(label.to(label_dtype), affine=affine, meta={"patient": "p1"}),
        "group": "DCM",
        "extra": torch.arange(3),
    }
    before = copy.deepcopy(sample)
    result = synthd(StandInSynthesizer(), mode=mode, seed=seed, label_codes=codes)(sample)
    for key in KEYS:
        assert result[key].shape == before[key].shape
        assert result[key].dtype == before[key].dtype
        assert torch.equal(result[key].affine, affine)
        assert result[key].meta["patient"] == "p1"
        assert torch.equal(sample[key], before[key])  # the input is left alone
        assert not result[key].requires_grad
    assert result["group"] == "DCM"
    assert result["extra"] is sample["extra"]
    known = {0, 1} if one_hot else set(order)
    assert set(result["label"].as_tensor().to(torch.int64).unique().tolist()) <= known
    if one_hot:
        assert bool((result["label"].as_tensor().float().sum(0) == 1).all())
    assert read_records(result["image"])[0]["mode"] == mode


def test_a_slice_without_a_heart_stays_real_under_vary_and_can_become_new(synthesizer, make_sample):
    sample = make_sample()
    sample["label"] = sample["label"] * 0
    varied = synthd(synthesizer)(sample)
    assert torch.equal(varied["image"], sample["image"])
    assert read_records(varied["image"]) == [real_record()]
    assert bool(synthd(synthesizer, mode="new")(sample)["label"].any())


def test_plain_tensors_and_arrays_work_when_their_spacing_is_told(synthesizer, make_sample):
    sample = make_sample()
    image, label = sample["image"].as_tensor(), sample["label"].as_tensor()
    expected = RandCardiacSynth(synthesizer, 1.0).set_random_state(2)(sample["image"], sample["label"])
    as_tensors = RandCardiacSynth(synthesizer, 1.0, spacing=(1.5, 1.5)).set_random_state(2)(image, label)
    as_arrays = RandCardiacSynth(synthesizer, 1.0, spacing=(1.5, 1.5)).set_random_state(2)(image.numpy(), label.numpy())
    assert [type(one) for one in (*as_tensors, *as_arrays)] == [torch.Tensor] * 2 + [np.ndarray] * 2
    for one, other, third in zip(expected, as_tensors, as_arrays, strict=True):
        assert torch.equal(one.as_tensor(), other)
        assert torch.equal(other, torch.from_numpy(third))


class LabelPainter(StandInSynthesizer):
    """Paints hearts white on black, so that contours can be compared."""

    def paint(self, label, style, rows):
        return (label > 0)[:, None].float()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("size", "spacing"), [((32, 32), (1.5, 1.5)), ((24, 31), (1.5, 1.5)), ((50, 44), (0.9, 1.1))])
def test_image_and_label_agree_on_any_grid(make_sample, mode, size, spacing):
    sample = make_sample(size, spacing, radius=5.0 / spacing[0])
    result = synthd(LabelPainter(), mode=mode, intensity_range=(100.0, 800.0), strength=1.0)(sample)
    hearts = result["label"].as_tensor() > 0
    where = torch.ones_like(hearts) if mode != "vary" else hearts | (sample["label"].as_tensor() > 0)
    white = result["image"].as_tensor() > 450.0
    assert int(hearts.sum()) > 40
    assert float((white != hearts)[where].float().mean()) < 0.02


@pytest.mark.real_data
def test_real_cases_pass_through(acdc_folder):
    folder = acdc_folder / "patient001"
    image = next(iter(sorted(folder.glob("patient001_frame??.nii*"))))
    label = next(iter(sorted(folder.glob("patient001_frame??_gt.nii*"))))
    sample = LoadImaged(KEYS, ensure_channel_first=True)({"image": image, "label": label})
    synthesizer = StandInSynthesizer((128, 128), (1.5, 1.5))
    result = synthd(synthesizer, strength=1.0)(sample)
    hearts = (sample["label"] > 0) | (result["label"] > 0)
    touched = (result["image"] != sample["image"]).as_tensor()
    without = ~(sample["label"] > 0).as_tensor()[0].any(dim=0).any(dim=0)
    assert bool(touched.any())
    assert not bool(touched[..., without].any())
    assert float(touched.float().sum()) < 1.5 * float(hearts.float().sum())
    assert float((result["label"] != sample["label"]).float().sum()) > 0
    assert result["image"].shape == sample["image"].shape


# --- one transform, three forms -------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [None, 4])
def test_a_batch_equals_its_elements(synthesizer, make_sample, depth):
    samples = [
        make_sample(seed=seed, depth=depth, spacing=spacing)
        for seed, spacing in enumerate([(1.5, 1.5), (1.3, 1.5), (1.5, 1.5), (1.1, 1.4)])
    ]
    transform = synthd(synthesizer, 0.8, MODES if depth is None else ("vary", "restyle"), seed=2)
    image, label = transform.prepare_batch()(list_data_collate(samples))
    choices = transform.transform._choices
    assert None in choices
    assert len({choice.mode for choice in choices if choice}) > 1
    for row, (sample, choice) in enumerate(zip(samples, choices, strict=True)):
        alone = transform.transform.transform_sample([sample[key] for key in KEYS], choice)
        assert torch.allclose(alone[0].as_tensor(), image[row].as_tensor(), atol=1e-3)  # of 800
        assert torch.equal(alone[1].as_tensor(), label[row].as_tensor())
        assert read_records(alone[0])[0] == read_records(image)[row]


def test_the_dictionary_form_equals_the_array_form(synthesizer, make_sample):
    array = RandCardiacSynth(synthesizer, 0.5, MODES).set_random_state(5)
    mapped = synthd(synthesizer, 0.5, MODES, seed=5)
    for seed in range(8):
        sample = make_sample(seed=seed)
        image, label = array(sample["image"], sample["label"])
        assert same(mapped(sample), {**sample, "image": image, "label": label})


def test_both_forms_state_their_signature():
    array = inspect.signature(RandCardiacSynth).parameters
    mapped = inspect.signature(RandCardiacSynthd).parameters
    assert list(mapped) == ["keys", *array, "allow_missing_keys"]
    assert all(mapped[name].default == array[name].default for name in array)


def test_the_array_form_takes_its_place_in_a_pipeline_of_pairs(synthesizer, make_sample):
    sample = make_sample()
    array = RandCardiacSynth(synthesizer, 1.0)
    pipeline = Compose([array], unpack_items=True, map_items=False).set_random_state(1)
    image, label = pipeline((sample["image"], sample["label"]))
    assert read_records(image)[0]["synthetic"]
    assert torch.equal(label.affine, sample["label"].affine)


# --- where it came from ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_a_case_is_made_again_from_its_record(synthesizer, make_sample, mode):
    sample = make_sample(spacing=(1.3, 1.4))
    result = synthd(synthesizer, mode=mode, strength=0.8, seed=9)(sample)
    record = result["image"].meta[META_KEY]
    assert record["synthetic"] is True
    assert (record["mode"], record["strength"]) == (mode, 0.8)
    assert (record["bundle"], record["version"]) == ("stand_in", "0.1.0")
    assert result["label"].meta[META_KEY] == record
    assert same(synthd(synthesizer, seed=1).remake(sample, record), result)


def test_a_mixed_batch_tells_real_from_synthetic(synthesizer, make_sample):
    samples = [make_sample(seed=seed) for seed in range(8)]
    loader = DataLoader(Dataset(samples, synthd(synthesizer, 0.5, "new")), batch_size=8)
    batch = next(iter(loader))
    told = [record["synthetic"] for record in read_records(batch["image"])]
    differs = [not torch.equal(one["image"], sample["image"].as_tensor())
               for one, sample in zip(decollate_batch(batch), samples, strict=True)]  # fmt: skip
    assert told == differs
    assert set(told) == {True, False}


def test_a_second_transform_does_not_call_a_synthetic_case_real(synthesizer, make_sample):
    first = synthd(synthesizer, mode="new")(make_sample())
    second = synthd(synthesizer, prob=1e-9)(first)
    assert read_records(second["image"]) == read_records(first["image"])


# --- in MONAI's hands -----------------------------------------------------------------------------------------------


def test_never_is_bit_identical_to_not_having_it(synthesizer, make_sample):
    sample = make_sample()
    result = synthd(synthesizer, prob=0.0)(sample)
    assert all(result[key] is sample[key] for key in sample)
    batch = list_data_collate([make_sample(seed=seed) for seed in range(2)])
    image, label = synthd(synthesizer, prob=0.0).prepare_batch()(batch)
    assert image is batch["image"]
    assert label is batch["label"]


def test_a_sample_that_is_not_drawn_is_bit_identical_but_for_its_record(synthesizer, make_sample):
    sample = make_sample()
    result = synthd(synthesizer, prob=1e-9)(sample)
    for key in KEYS:
        assert torch.equal(result[key], sample[key])
        meta = dict(result[key].meta)
        assert meta.pop(META_KEY) == real_record()
        assert meta.keys() == sample[key].meta.keys()
        assert META_KEY not in sample[key].meta


def test_lazy_pipelines_give_what_eager_ones_give(synthesizer, make_sample):
    sample = make_sample((40, 40), (1.2, 1.2))

    def pipeline(lazy):
        steps = [
            Spacingd(KEYS, (1.5, 1.5), mode=("bilinear", "nearest")),
            synthd(synthesizer, mode="new"),
            RandRotate90d(KEYS, prob=1.0),
        ]
        # without the override, MONAI interpolates pending labels linearly
        overrides = {"label": {"mode": "nearest"}} if lazy else None
        return Compose(steps, lazy=lazy, overrides=overrides).set_random_state(3)

    eager, lazy = pipeline(False)(sample), pipeline(True)(sample)
    assert torch.allclose(eager["image"], lazy["image"], atol=1e-3)
    assert torch.equal(eager["label"], lazy["label"])
    assert read_records(eager["image"]) == read_records(lazy["image"])
    assert lazy["image"].meta[META_KEY]["synthetic"]


def test_a_cache_keeps_the_real_sample_and_each_epoch_draws_anew(synthesizer, make_sample):
    sample = make_sample((36, 36))
    steps = [CenterSpatialCropd(KEYS, (30, 30)), synthd(synthesizer, mode="new")]
    dataset = CacheDataset([sample], Compose(steps).set_random_state(0), cache_rate=1.0, progress=False)
    first, second = dataset[0], dataset[0]
    assert not torch.equal(first["image"], second["image"])
    uncached = Compose(steps[:1])(sample)
    assert torch.equal(dataset._cache[0]["image"], uncached["image"])


def test_what_stands_around_it_can_be_inverted(synthesizer, make_sample):
    sample = make_sample((28, 28))
    pipeline = Compose([RandRotate90d(KEYS, prob=1.0), synthd(synthesizer), RandRotate90d(KEYS, prob=1.0)])
    pipeline.set_random_state(1)
    result = pipeline(sample)
    back = Invertd(KEYS, pipeline, orig_keys=KEYS, nearest_interp=False)(result)
    hearts = (sample["label"] > 0) | (back["label"] > 0)
    assert back["image"].shape == sample["image"].shape
    assert torch.equal(back["image"][~hearts], sample["image"][~hearts])
    assert not torch.equal(back["image"], sample["image"])


def test_a_file_goes_all_the_way(synthesizer, make_sample, tmp_path):
    sample = make_sample((32, 30), depth=5)
    for key in KEYS:
        SaveImage(tmp_path, output_postfix=key, separate_folder=False, print_log=False)(sample[key])
    paths = {key: str(tmp_path / f"patient000_{key}.nii.gz") for key in KEYS}
    load = LoadImaged(KEYS, ensure_channel_first=True)
    result = Compose([load, synthd(synthesizer)])(paths)
    assert torch.equal(result["image"].affine, load(paths)["image"].affine)
    assert not torch.equal(result["label"], load(paths)["label"])


def test_a_configuration_resolves_it():
    parser = ConfigParser(
        {
            "transform": {
                "_target_": "monai_cardiacgen.transforms.RandCardiacSynthd",
                "keys": ["image", "label"],
                "synthesizer": {"_target_": "stand_in_synthesizer.StandInSynthesizer", "spacing": [2.0, 2.0]},
                "prob": 0.25,
                "mode": {"new": 3, "vary": 1},
            },
            "prepare_batch": "$@transform.prepare_batch()",
        }
    )
    transform = parser.get_parsed_content("transform")
    assert isinstance(transform, RandCardiacSynthd)
    assert transform.transform.weights == {"new": 3.0, "vary": 1.0}
    assert parser.get_parsed_content("prepare_batch").transform is transform.transform


def test_a_trainer_trains_on_its_batches(synthesizer, make_sample):
    samples = [make_sample(seed=seed) for seed in range(4)]
    network = torch.nn.Conv2d(1, 4, 3, padding=1)
    before, painter = network.weight.detach().clone(), synthesizer.weight.detach().clone()
    trainer = SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=1,
        train_data_loader=DataLoader(Dataset(samples), batch_size=2),
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), 0.1),
        loss_function=DiceCELoss(to_onehot_y=True, softmax=True),
        prepare_batch=synthd(synthesizer, 1.0, "new").prepare_batch(),
    )
    trainer.run()
    assert trainer.state.iteration == 2
    assert not torch.equal(network.weight, before)
    assert torch.equal(synthesizer.weight, painter)
    output = trainer.state.output[0] if isinstance(trainer.state.output, list) else trainer.state.output
    assert read_records(output["image"])[0]["synthetic"]


# --- with the real synthesizer, tiny and hardly trained --------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny():
    return tiny_synthesizer()


@pytest.fixture
def hearts_of_other_codes():
    images, labels = hearts(4, seed=8)
    affine = torch.diag(torch.tensor([2.0, 2.0, 8.0, 1.0]))
    codes = torch.tensor([0, 500, 600, 420])
    return [
        {"image": MetaTensor(1000 * image - 300, affine=affine), "label": MetaTensor(codes[label], affine=affine)}
        for image, label in zip(images, labels, strict=True)
    ]


@pytest.mark.parametrize("mode", MODES)
def test_the_real_synthesizer_in_all_three_forms(tiny, hearts_of_other_codes, mode):
    samples, codes = hearts_of_other_codes, (0, 500, 600, 420)
    mapped = synthd(tiny, mode=mode, label_codes=codes, seed=4)
    image, label = mapped.prepare_batch()(list_data_collate(samples))
    for row, sample in enumerate(samples):
        record = read_records(image)[row]
        alone = mapped.remake(sample, record)
        assert record["bundle"] == "tiny"
        assert torch.allclose(alone["image"].as_tensor(), image[row].as_tensor(), atol=0.05)  # of 1000
        assert torch.equal(alone["label"].as_tensor(), label[row].as_tensor())
        assert set(label[row].unique().tolist()) <= set(codes)
        assert not torch.equal(image[row].as_tensor(), sample["image"].as_tensor())
    array = RandCardiacSynth(tiny, 1.0, mode, label_codes=codes).set_random_state(4)
    by_array = array(samples[0]["image"], samples[0]["label"])
    by_key = synthd(tiny, mode=mode, label_codes=codes, seed=4)(samples[0])
    assert torch.equal(by_array[0], by_key["image"])
    assert torch.equal(by_array[1], by_key["label"])


def test_the_real_synthesizer_varies_a_larger_finer_stack(tiny):
    images, labels = hearts(1, seed=8)
    finer = torch.nn.functional.interpolate(images, scale_factor=1.6, mode="bilinear")
    label = torch.nn.functional.interpolate(labels.float(), scale_factor=1.6, mode="nearest").long()
    pad = (10, 20, 15, 5)  # 81 x 81 pixels of 1.25 mm: more than the 64 mm that the synthesizer shows
    image, label = (torch.nn.functional.pad(x[0], pad)[..., None].repeat(1, 1, 1, 3) for x in (finer, label))
    label[..., 2] = 0
    affine = torch.diag(torch.tensor([1.25, 1.25, 8.0, 1.0]))
    sample = {"image": MetaTensor(image, affine=affine), "label": MetaTensor(label, affine=affine)}
    result = synthd(tiny, strength=1.0)(sample)
    changed = (result["image"] != sample["image"]).as_tensor()[0].float().mean(dim=(0, 1)).tolist()
    assert changed[2] == 0.0
    assert changed[0] == changed[1]
    assert 0.05 < changed[0] < 0.6
    assert torch.equal(result["label"][..., 0], result["label"][..., 1])
    moved = torch.nonzero(result["label"][0, ..., 0]).float().mean(0)
    stood = torch.nonzero(sample["label"][0, ..., 0]).float().mean(0)
    assert float((moved - stood).norm()) < 5


def test_the_real_synthesizer_goes_through_spawned_workers_as_a_pickle(tiny, hearts_of_other_codes):
    transform = synthd(tiny, mode="new", label_codes=(0, 500, 600, 420), seed=2)
    twin = pickle.loads(pickle.dumps(transform))
    assert torch.equal(twin(hearts_of_other_codes[0])["image"], transform(hearts_of_other_codes[0])["image"])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_draws_what_the_cpu_draws_and_keeps_out_of_pickles(make_sample):
    batch = list_data_collate([make_sample(seed=seed, spacing=(1.3, 1.5)) for seed in range(4)])
    results = {}
    for device in ("cpu", "cuda"):
        transform = synthd(StandInSynthesizer(), 0.7, MODES, seed=6)
        results[device] = [one.as_tensor() for one in transform.prepare_batch()(batch, device)]
        assert results[device][0].device.type == device
    assert torch.allclose(results["cpu"][0], results["cuda"][0].cpu(), atol=5.0)  # of 800: TF32
    assert torch.equal(results["cpu"][1], results["cuda"][1].cpu())
    assert transform.transform.synthesizer.weight.is_cuda
    assert not pickle.loads(pickle.dumps(transform)).transform.synthesizer.weight.is_cuda


# --- what it refuses ------------------------------------------------------------------------------------------------


def test_an_unknown_spacing_is_refused(synthesizer, make_sample):
    sample = make_sample()
    with pytest.raises(SpacingError, match="pass `spacing=`"):
        RandCardiacSynth(synthesizer, 1.0)(sample["image"].as_tensor(), sample["label"].as_tensor())


def test_a_larger_field_of_view_is_refused_for_new_and_taken_for_vary(synthesizer, make_sample):
    sample = make_sample((64, 64))
    with pytest.raises(SpacingError, match=r"crop the samples to at most 48\.0 x 48\.0 mm"):
        synthd(synthesizer, mode="new")(sample)
    assert synthd(synthesizer)(sample)["image"].shape == (1, 64, 64)


def test_a_foreign_code_is_refused(synthesizer, make_sample):
    sample = make_sample()
    sample["label"] = sample["label"] * 100
    with pytest.raises(LabelError, match="label_codes"):
        synthd(synthesizer)(sample)


def test_an_image_that_is_not_finite_is_refused(synthesizer, make_sample):
    sample = make_sample()
    sample["image"][0, 3, 3] = float("nan")
    with pytest.raises(IntensityError, match="NaN"):
        synthd(synthesizer)(sample)


@pytest.mark.parametrize(
    ("image", "label", "message"),
    [
        ((2, 32, 32), (1, 32, 32), r"Expected an image \(1, H, W\) or a stack"),
        ((1, 32), (1, 32), r"Expected an image \(1, H, W\) or a stack"),
        ((1, 32, 32, 4, 2), (1, 32, 32, 4, 2), r"Expected an image \(1, H, W\) or a stack"),
        ((1, 32, 32), (1, 32, 31), r"image's grid \(32, 32\), got \(32, 31\)"),
    ],
)
def test_other_shapes_are_refused(synthesizer, image, label, message):
    transform = RandCardiacSynth(synthesizer, 1.0, spacing=(1.5, 1.5))
    with pytest.raises(ShapeError, match=message):
        transform(torch.rand(image), torch.zeros(label))


@pytest.mark.parametrize(
    "arguments",
    [{"strength": 0.0}, {"strength": 1.5}, {"mode": "older"}, {"prob": 2.0}, {"intensity_range": (1, 0)},
     {"spacing": (1.0, 1.0, 1.0)}, {"spacing": (0.0, 1.0)}, {"label_codes": (0, 1)}],
)  # fmt: skip
def test_impossible_arguments_are_refused(synthesizer, arguments):
    with pytest.raises((InputError, SpacingError)):
        RandCardiacSynth(synthesizer, **arguments)


def test_two_keys_are_needed(synthesizer):
    with pytest.raises(InputError, match="Expected two keys"):
        RandCardiacSynthd("image", synthesizer)
