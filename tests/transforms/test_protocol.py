import pytest
import torch
from stand_in_synthesizer import StandInSynthesizer

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.transforms.protocol import check_synthesizer, device_of


def test_a_network_comes_back_frozen_and_in_eval_mode():
    synthesizer = StandInSynthesizer().train()
    assert check_synthesizer(synthesizer) is synthesizer
    assert not synthesizer.training
    assert not any(parameter.requires_grad for parameter in synthesizer.parameters())


def test_what_is_no_synthesizer_is_told_what_it_lacks():
    with pytest.raises(InputError, match=r"CardiacSynthesizer\.from_bundle.*got Linear without scheme.*sample, vary"):
        check_synthesizer(torch.nn.Linear(1, 1))


def test_the_device_is_the_networks():
    assert device_of(StandInSynthesizer().to("meta")) == torch.device("meta")
    assert device_of(object()) == torch.device("cpu")
