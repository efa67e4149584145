import pytest
import torch
from tiny_models import ARCHITECTURES

from polyethos.dataset.pairs import Sentence
from polyethos.representation.activations import extract_states
from polyethos.representation.model import load_model
from polyethos.representation.untrained import untrained

SENTENCES = [Sentence("", "She told the truth."), Sentence("", "She told a lie to her friend.")]


@pytest.fixture(params=["llama", "gpt2"])
def trained(request, save_model):
    kind, settings = ARCHITECTURES[request.param]
    return load_model(save_model(kind, **settings), dtype="float32", device="cpu")


def test_it_has_the_architecture_but_not_the_weights(trained):
    fresh = untrained(trained, seed=12_345)
    assert type(fresh.model) is type(trained.model)
    assert (fresh.n_layers, fresh.hidden_size, fresh.template) == (
        trained.n_layers,
        trained.hidden_size,
        trained.template,
    )
    assert fresh.tokenizer is trained.tokenizer
    assert not torch.equal(fresh.model.get_input_embeddings().weight, trained.model.get_input_embeddings().weight)
    states = [extract_states(model, SENTENCES) for model in (fresh, trained)]
    assert states[0].shape == states[1].shape
    assert abs(states[0] - states[1]).max() > 1e-3


def test_equal_seeds_give_equal_weights_and_leave_other_randomness_alone(trained):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first, second, other = (untrained(trained, seed=seed) for seed in (3, 3, 4))
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)
    for name, weight in first.model.state_dict().items():
        torch.testing.assert_close(second.model.state_dict()[name], weight, rtol=0, atol=0)
    assert not torch.equal(first.model.get_input_embeddings().weight, other.model.get_input_embeddings().weight)


def test_the_trained_model_stays_as_it_is(trained):
    before = extract_states(trained, SENTENCES)
    untrained(trained, seed=0)
    assert (extract_states(trained, SENTENCES) == before).all()


def test_the_seed_is_in_its_name(trained):
    assert untrained(trained, seed=5).identity["model"].endswith("(untrained, seed 5)")
