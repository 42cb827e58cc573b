import pytest
import torch
from stand_in_synthesizer import StandInSynthesizer

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.transforms.choice import SynthChoice
from monai_cardiacgen.transforms.stacks import make

SPACING = torch.tensor([[1.5, 1.5]], dtype=torch.float64)


def stack_of(sample):
    image = sample["image"].as_tensor()
    return (image / image.max())[None].float(), sample["label"].as_tensor()


def test_all_slices_move_together_and_those_without_a_heart_stay(synthesizer, make_sample):
    image, label = stack_of(make_sample(depth=6))
    made = make(synthesizer, image, label, SPACING, [SynthChoice("vary", 3, 1.0)])
    assert made.image.shape == image.shape
    assert made.label.shape == label.shape
    assert [bool(made.weight[..., number].any()) for number in range(6)] == [False, True, True, True, True, False]
    for number in range(2, 5):
        assert torch.equal(made.label[..., number], made.label[..., 1])


def test_a_restyled_stack_has_one_style(synthesizer, make_sample):
    image, label = stack_of(make_sample(depth=5))
    made = make(synthesizer, image, label, SPACING, [SynthChoice("restyle", 3, 1.0)])
    assert bool((made.weight == 1).all())
    assert torch.equal(made.label, label)
    for number in (2, 3):  # same label, same style, same noise
        assert torch.equal(made.image[..., number], made.image[..., 1])


def test_stacks_do_not_mix(synthesizer, make_sample):
    stacks = [stack_of(make_sample(depth=4, seed=seed)) for seed in range(2)]
    choices = [SynthChoice("restyle", 1, 1.0), SynthChoice("vary", 2, 1.0)]
    together = make(synthesizer, torch.cat([s[0] for s in stacks]), torch.cat([s[1] for s in stacks]),
                    SPACING.expand(2, 2), choices)  # fmt: skip
    for row, (image, label) in enumerate(stacks):
        alone = make(synthesizer, image, label, SPACING, choices[row : row + 1])
        assert torch.equal(alone.label[0], together.label[row])
        assert torch.allclose(alone.image[0], together.image[row], atol=1e-6)


def test_new_hearts_are_refused_for_stacks_but_not_for_one_slice(synthesizer, make_sample):
    image, label = stack_of(make_sample(depth=4))
    with pytest.raises(InputError, match=r"stacks of 4 slices.*'vary' or 'restyle'"):
        make(synthesizer, image, label, SPACING, [SynthChoice("new", 3, 1.0)])
    made = make(synthesizer, image[..., :1], label[..., :1], SPACING, [SynthChoice("new", 3, 1.0)])
    assert made.label.shape == (1, 32, 32, 1)


def test_a_synthesizer_of_volumes_gets_volumes():
    class Volumes(StandInSynthesizer):
        scheme = ACDC

        def restyle(self, image, label, generator):
            assert image.shape == (1, 1, 8, 8, 8)
            return type("Cases", (), {"image": 1 - image, "label": label})()

    image = torch.rand(1, 1, 8, 8, 8)
    made = make(Volumes((8, 8, 8), (2.0, 2.0, 2.0)), image, torch.zeros(1, 8, 8, 8, dtype=torch.int64),
                torch.full((1, 3), 2.0, dtype=torch.float64), [SynthChoice("restyle", 1, 1.0)])  # fmt: skip
    assert torch.equal(made.image, 1 - image)
