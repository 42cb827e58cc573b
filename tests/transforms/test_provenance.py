import torch
from monai.data import MetaTensor, decollate_batch, list_data_collate

from monai_cardiacgen.transforms.provenance import META_KEY, Record, read_records, real_record, write_records

SYNTHETIC = Record(synthetic=True, mode="vary", seed=2**62 + 1, strength=0.5, bundle="b", version="1.0")


def sample(value=0.0):
    affine = torch.diag(torch.tensor([1.5, 1.5, 8.0, 1.0]))
    return MetaTensor(
        torch.full((1, 4, 4), value), affine=affine, meta={"patient": "p"}, applied_operations=[{"id": 1}]
    )


def test_everything_else_is_kept_and_the_original_untouched():
    before = sample()
    after = write_records(torch.ones(1, 4, 4), before, [SYNTHETIC])
    assert after.meta["patient"] == "p"
    assert torch.equal(after.affine, before.affine)
    assert after.applied_operations == before.applied_operations
    assert read_records(after) == [SYNTHETIC]
    assert META_KEY not in before.meta
    assert read_records(before) == [None]
    assert bool((before == 0).all())


def test_a_mixed_batch_collates_and_comes_apart_again():
    real = write_records(torch.zeros(1, 4, 4), sample(), [None])
    synthetic = write_records(torch.zeros(1, 4, 4), sample(), [SYNTHETIC])
    batch = list_data_collate([real, synthetic])
    assert read_records(batch) == [real_record(), SYNTHETIC]
    assert [read_records(one)[0]["synthetic"] for one in decollate_batch(batch)] == [False, True]
    assert int(decollate_batch(batch)[1].meta[META_KEY]["seed"]) == SYNTHETIC["seed"]


def test_rows_of_a_batch_keep_the_record_that_they_have():
    batch = list_data_collate([write_records(torch.zeros(1, 4, 4), sample(), [record]) for record in (None, SYNTHETIC)])
    other = Record(SYNTHETIC, seed=5)
    written = write_records(torch.zeros(2, 1, 4, 4), batch, [other, None])
    assert read_records(written) == [other, SYNTHETIC]
    assert written.is_batch


def test_plain_tensors_have_no_record():
    assert read_records(torch.zeros(1, 4, 4)) == [None]
