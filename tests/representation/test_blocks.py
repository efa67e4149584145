import pytest
import torch
from torch import nn

from polyethos.errors import UnsupportedModelError
from polyethos.representation.blocks import base_of, find_blocks, probe_tokens


class Mixing(nn.Module):
    """A causal block: every token receives the mean of the tokens up to itself."""

    def forward(self, hidden: torch.Tensor) -> tuple[torch.Tensor, None]:
        counts = torch.arange(1, hidden.shape[1] + 1)[:, None]
        return hidden + hidden.cumsum(dim=1) / counts, None


class Backwards(nn.Module):
    """A block in which every token sees all."""

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return hidden + hidden.mean(dim=1, keepdim=True)


class HandMade(nn.Module):
    """A model whose lists have uninformative names; `beside` is longer, but no chain."""

    def __init__(self, blocks: list[nn.Module]):
        super().__init__()
        self.words = nn.Embedding(30, 4)
        self.a = nn.ModuleList(blocks)
        self.beside = nn.ModuleList([nn.Identity() for _ in range(9)])
        self.never_called = nn.ModuleList([Mixing() for _ in range(9)])

    def get_input_embeddings(self) -> nn.Embedding:
        return self.words

    def forward(self, input_ids: torch.Tensor, use_cache: bool, return_dict: bool) -> tuple[torch.Tensor]:
        hidden = self.words(input_ids)
        first = hidden
        for block in self.a:
            hidden = block(hidden)
            hidden = hidden[0] if isinstance(hidden, tuple) else hidden
        for adapter in self.beside:
            adapter(first)
            first = first + 1
        return (hidden,)


def test_blocks_are_the_list_in_which_each_takes_what_the_one_before_gave():
    blocks = [Mixing(), Mixing(), Mixing()]
    model = HandMade(blocks)
    assert find_blocks(model, probe_tokens(model, [0])) == tuple(blocks)


def test_a_model_without_such_a_list_is_refused():
    model = HandMade([])
    model.beside = nn.ModuleList()
    with pytest.raises(UnsupportedModelError, match="HandMade: no sequence of decoder blocks"):
        find_blocks(model, probe_tokens(model, []))


def test_blocks_in_which_tokens_see_later_ones_are_refused():
    model = HandMade([Backwards()])
    model.beside = nn.ModuleList()
    with pytest.raises(UnsupportedModelError, match="sees the ones after it"):
        find_blocks(model, probe_tokens(model, []))


def test_probe_tokens_are_different_and_not_special():
    tokens = probe_tokens(HandMade([]), [0, 1, 2], count=6)[0].tolist()
    assert len(set(tokens)) == 6
    assert min(tokens) > 2


@pytest.mark.parametrize("architecture", ["llama", "gemma3", "opt", "bloom"])
def test_the_base_of_a_model_has_no_vocabulary_projection(load_tiny, architecture: str):
    model = load_tiny(architecture)
    tokens = torch.tensor([[5, 6, 7]])
    assert base_of(model.model)(input_ids=tokens)[0].shape == (1, 3, model.hidden_size)
