"""Steering changes what it says it changes, where it says so, and nothing else."""

import shutil
import warnings

import numpy as np
import pytest
import torch

from polyethos.control.operators import Gate, Intervention
from polyethos.control.steering import steer
from polyethos.errors import SteeringError, UnknownNameError
from polyethos.representation.blocks import on_outputs

PROMPTS = torch.tensor([[5, 17, 40, 9], [60, 33, 21, 8]])
LAYER = 2


def direction(seed, size=16):
    return np.random.default_rng(seed).normal(size=size).astype(np.float32)


def block_outputs(model, *interventions, tokens=PROMPTS, layer=LAYER, mask=None, **options):
    """Hidden states after a block, (row, token, hidden), steered."""
    kept = {}
    with steer(model, *interventions, **options), on_outputs(model.blocks, kept.__setitem__), torch.no_grad():
        model.base(input_ids=tokens, attention_mask=torch.ones_like(tokens) if mask is None else mask)
    return kept[layer - 1]


def generate(model, *interventions, tokens=PROMPTS, mask=None, use_cache=True, **options):
    mask = torch.ones_like(tokens) if mask is None else mask
    with steer(model, *interventions, **options), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.model.generate(
            tokens,
            attention_mask=mask,
            max_new_tokens=6,
            min_new_tokens=6,
            do_sample=False,
            use_cache=use_cache,
            return_dict_in_generate=True,
            output_logits=True,
        )


def new_logits(*arguments, **options):
    """Logits at every generated token (row, token, vocabulary), which tell more than the tokens chosen."""
    return torch.stack(generate(*arguments, **options).logits, dim=1)


# What an edit does to a state


def test_add_moves_every_token_by_strength_times_the_vector(every_model):
    vector = direction(1)
    plain = block_outputs(every_model)
    steered = block_outputs(every_model, Intervention(LAYER, vector, strength=1.5))
    torch.testing.assert_close(steered, plain + 1.5 * torch.from_numpy(vector))


def test_add_relative_to_a_norm_forgets_the_length_of_the_vector(language_model):
    model, vector = language_model(), direction(1)
    short, long = (
        block_outputs(model, Intervention(LAYER, scale * vector, strength=0.5, norm=8.0)) for scale in (0.1, 10.0)
    )
    torch.testing.assert_close(short, long)
    moved = (long - block_outputs(model)).norm(dim=-1)
    torch.testing.assert_close(moved, torch.full_like(moved, 4.0))


def test_ablate_leaves_no_projection_and_the_rest_untouched(language_model):
    model, vector = language_model(), direction(2)
    unit = torch.from_numpy(vector / np.linalg.norm(vector))
    plain, ablated = block_outputs(model), block_outputs(model, Intervention(LAYER, vector, "ablate"))
    assert (ablated @ unit).abs().max() < 1e-4
    torch.testing.assert_close(ablated, plain - (plain @ unit)[..., None] * unit)


def test_clamp_goes_the_share_strength_of_the_way_to_the_target_projection(language_model):
    model, vector = language_model(), direction(3)
    unit = torch.from_numpy(vector / np.linalg.norm(vector))
    before = block_outputs(model) @ unit
    half = block_outputs(model, Intervention(LAYER, vector, "clamp", strength=0.5, target=7.0)) @ unit
    whole = block_outputs(model, Intervention(LAYER, vector, "clamp", target=7.0)) @ unit
    torch.testing.assert_close(half, (before + 7.0) / 2)
    torch.testing.assert_close(whole, torch.full_like(whole, 7.0))


def test_rotate_keeps_the_norm_and_turns_by_the_angle(language_model):
    model, vector = language_model(), direction(4)
    unit = torch.from_numpy(vector / np.linalg.norm(vector))
    plain, turned = block_outputs(model), block_outputs(model, Intervention(LAYER, vector, "rotate", strength=0.3))
    torch.testing.assert_close(turned.norm(dim=-1), plain.norm(dim=-1))
    angles = [torch.acos((states @ unit) / states.norm(dim=-1)) for states in (plain, turned)]
    torch.testing.assert_close(angles[0] - angles[1], torch.full_like(angles[0], 0.3), atol=1e-4, rtol=0)


def test_rotate_stops_at_the_direction_and_leaves_states_on_its_line_alone(language_model):
    model, vector = language_model(), direction(4)
    unit = torch.from_numpy(vector / np.linalg.norm(vector))
    far = block_outputs(model, Intervention(LAYER, vector, "rotate", strength=10.0))
    torch.testing.assert_close((far @ unit), far.norm(dim=-1), rtol=1e-4, atol=1e-4)
    to_line = Intervention(LAYER, vector, "rotate", strength=10.0)
    torch.testing.assert_close(
        block_outputs(model, to_line, Intervention(LAYER, vector, "rotate", strength=-0.4)).norm(dim=-1),
        far.norm(dim=-1),
        rtol=1e-4,
        atol=1e-4,
    )


def test_the_same_block_is_edited_in_the_order_given(language_model):
    model, vector = language_model(), direction(5)
    unit = torch.from_numpy(vector / np.linalg.norm(vector))
    ablate, push = Intervention(LAYER, vector, "ablate"), Intervention(LAYER, vector, norm=2.0)
    assert (block_outputs(model, push, ablate) @ unit).abs().max() < 1e-4
    torch.testing.assert_close(block_outputs(model, ablate, push) @ unit, torch.full((2, 4), 2.0), atol=1e-4, rtol=0)


@pytest.mark.parametrize("operator", ["add", "ablate", "clamp", "rotate"])
def test_strength_0_changes_no_bit(language_model, operator):
    model = language_model()
    nothing = Intervention(LAYER, direction(1), operator, strength=0.0, target=3.0)
    assert torch.equal(block_outputs(model, nothing, layer=3), block_outputs(model, layer=3))


def test_a_row_of_strength_0_among_others_is_the_row_of_the_plain_model(language_model):
    model = language_model()
    rows = [[Intervention(LAYER, direction(1), strength=strength)] for strength in (0.0, 2.0)]
    steered, plain = block_outputs(model, rows=rows, layer=3), block_outputs(model, layer=3)
    assert torch.equal(steered[0], plain[0])
    assert not torch.equal(steered[1], plain[1])


def test_bf16_states_are_edited_in_float32_and_rounded_once(language_model):
    model, vector = language_model("llama", "bfloat16"), direction(1)
    plain = block_outputs(model).float()
    steered = block_outputs(model, Intervention(LAYER, vector, strength=0.7))
    unit = torch.from_numpy(vector / np.linalg.norm(vector))
    expected = plain + torch.tensor(0.7 * np.linalg.norm(vector), dtype=torch.float32) * unit
    assert steered.dtype == torch.bfloat16
    assert torch.equal(steered, expected.to(torch.bfloat16))


# Rows of one batch


def test_rows_may_differ_in_vector_strength_operator_and_scope(every_model):
    rows = [
        [Intervention(LAYER, direction(1), strength=0.8)],
        [Intervention(1, direction(2), "ablate", scope="prompt"), Intervention(LAYER, direction(3), "rotate", 0.2)],
    ]
    together = new_logits(every_model, rows=rows)
    alone = [new_logits(every_model, *row, tokens=PROMPTS[[number]]) for number, row in enumerate(rows)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=2e-3, atol=2e-3)


def test_several_samples_of_a_row_share_its_edits(language_model):
    model = language_model()
    rows = [[Intervention(LAYER, direction(1))], [Intervention(LAYER, direction(2), "ablate")]]
    doubled = block_outputs(model, rows=rows, tokens=PROMPTS.repeat_interleave(2, dim=0))
    single = block_outputs(model, rows=rows)
    torch.testing.assert_close(doubled, single.repeat_interleave(2, dim=0))


def test_a_batch_that_the_rows_do_not_fit_is_refused(language_model):
    rows = [[Intervention(LAYER, direction(seed))] for seed in range(3)]
    with pytest.raises(SteeringError, match="3 rows, but the batch has 2"):
        block_outputs(language_model(), rows=rows)


# Which tokens


@pytest.mark.parametrize("scope", ["all", "prompt", "generated", "last-prompt"])
@pytest.mark.parametrize("operator", ["add", "ablate", "clamp", "rotate"])
def test_generation_agrees_with_and_without_cache(language_model, scope, operator):
    model = language_model()
    one = Intervention(LAYER, direction(1), operator, strength=0.7, target=4.0, scope=scope)
    cached, uncached = (new_logits(model, one, use_cache=cache) for cache in (True, False))
    torch.testing.assert_close(cached, uncached, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(cached, new_logits(model), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("scope", ["all", "prompt", "generated", "last-prompt"])
def test_every_architecture_generates_the_same_with_and_without_cache(every_model, scope):
    one = Intervention(LAYER, direction(1), strength=0.7, scope=scope)
    cached, uncached = (new_logits(every_model, one, use_cache=cache) for cache in (True, False))
    torch.testing.assert_close(cached, uncached, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("scope", ["all", "prompt", "generated", "last-prompt"])
def test_left_padding_changes_nothing(every_model, scope):
    one = Intervention(LAYER, direction(1), strength=0.7, scope=scope)
    padded = torch.cat([torch.zeros((2, 3), dtype=torch.long), PROMPTS], dim=1)
    mask = (torch.arange(7) >= 3).long().repeat(2, 1)
    steered = new_logits(every_model, one, tokens=padded, mask=mask)
    torch.testing.assert_close(steered, new_logits(every_model, one), rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("scope", ["all", "prompt", "last-prompt"])
def test_right_padding_changes_nothing(every_model, scope):
    one = Intervention(LAYER, direction(1), scope=scope)
    padded = torch.cat([PROMPTS, torch.zeros((2, 3), dtype=torch.long)], dim=1)
    mask = (torch.arange(7) < 4).long().repeat(2, 1)
    steered = block_outputs(every_model, one, tokens=padded, mask=mask, layer=3)[:, :4]
    torch.testing.assert_close(steered, block_outputs(every_model, one, layer=3), rtol=2e-3, atol=2e-3)


def moved_tokens(model, intervention, **options):
    """Which tokens of row 0 the edit moved at its own block."""
    difference = block_outputs(model, intervention, **options) - block_outputs(model, tokens=options["tokens"])
    return (difference[0].norm(dim=-1) > 1e-3).tolist()


def test_scopes_name_the_tokens_they_say(language_model):
    model, vector = language_model(), direction(1)
    tokens = torch.tensor([[5, 17, 40, 9, 60, 33]])
    moved = {
        scope: moved_tokens(model, Intervention(LAYER, vector, scope=scope), tokens=tokens, prompt_lengths=[4])
        for scope in ("all", "prompt", "generated", "last-prompt")
    }
    assert moved == {
        "all": [True] * 6,
        "prompt": [True] * 4 + [False] * 2,
        "generated": [False] * 4 + [True] * 2,
        "last-prompt": [False] * 3 + [True] + [False] * 2,
    }


def test_the_first_pass_is_all_prompt(language_model):
    one = Intervention(LAYER, direction(1), scope="generated")
    assert moved_tokens(language_model(), one, tokens=PROMPTS) == [False] * 4


def test_a_pass_with_other_tokens_begins_a_new_prompt(language_model):
    model, one = language_model(), Intervention(LAYER, direction(1), scope="generated")
    longer = torch.tensor([[7, 17, 40, 9, 60, 33]])
    with steer(model, one), torch.no_grad():
        model.base(input_ids=PROMPTS[:1])
        steered = model.base(input_ids=longer)[0]
    with torch.no_grad():
        assert torch.equal(steered, model.base(input_ids=longer)[0])


def test_scoring_an_answer_steers_it_as_generating_it_does(language_model):
    model = language_model()
    one = Intervention(LAYER, direction(1), scope="generated")
    answer = generate(model, one)
    with steer(model, one, prompt_lengths=[4, 4]), torch.no_grad():
        scored = model.model(input_ids=answer.sequences).logits[:, 3:-1]
    torch.testing.assert_close(scored, torch.stack(answer.logits, dim=1), rtol=1e-4, atol=1e-4)


def test_several_answers_may_go_on_from_one_prompt(language_model):
    model, one = language_model(), Intervention(LAYER, direction(1), scope="generated")
    following = torch.tensor([[7, 9], [8, 10], [7, 9], [8, 10]])
    with steer(model, one), torch.no_grad():
        cache = model.model(input_ids=PROMPTS, use_cache=True).past_key_values
        cache.batch_repeat_interleave(2)
        together = model.model(input_ids=following, past_key_values=cache).logits
    whole = torch.cat([PROMPTS.repeat_interleave(2, dim=0), following], dim=1)
    width = PROMPTS.shape[1]
    with steer(model, one, prompt_lengths=[width] * 4), torch.no_grad():
        alone = model.model(input_ids=whole).logits[:, width:]
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)


def test_a_batch_of_another_size_without_its_prompt_is_refused(language_model):
    model, one = language_model(), Intervention(LAYER, direction(1), scope="generated")
    with steer(model, one), torch.no_grad():
        cache = model.model(input_ids=PROMPTS, use_cache=True).past_key_values
        cache.batch_select_indices(torch.tensor([0, 1, 0]))
        with pytest.raises(SteeringError, match="3 rows continues a prompt of 2"):
            model.model(input_ids=torch.full((3, 1), 7), past_key_values=cache)


# Gates


def gated(model, threshold, *, above=True, gate_layer=1):
    gate = Gate(gate_layer, direction(9), threshold, above=above)
    return Intervention(LAYER, direction(1), gate=gate)


def gate_projections(model):
    unit = direction(9) / np.linalg.norm(direction(9))
    return block_outputs(model, layer=1)[:, -1] @ torch.from_numpy(unit)


@pytest.mark.parametrize("above", [True, False])
@pytest.mark.parametrize("use_cache", [True, False])
def test_a_gate_lets_through_the_rows_beyond_its_threshold_only(language_model, above, use_cache):
    model = language_model()
    projections = gate_projections(model)
    one = gated(model, float(projections.mean()), above=above)
    steered = new_logits(model, one, use_cache=use_cache)
    plain, always = new_logits(model), new_logits(model, Intervention(LAYER, direction(1)))
    passes = (projections > projections.mean()) == above
    expected = torch.where(passes[:, None, None], always, plain)
    torch.testing.assert_close(steered, expected, rtol=1e-4, atol=1e-4)
    assert passes.tolist() in ([True, False], [False, True])


def test_a_gate_after_the_edited_block_is_refused(language_model):
    model = language_model()
    with pytest.raises(SteeringError, match="too late"), steer(model, gated(model, 0.0, gate_layer=3)):
        pass


# The model afterwards, and what is refused


def test_the_model_is_as_before_after_an_exception(language_model):
    model = language_model()
    before = block_outputs(model, layer=3)
    with pytest.raises(KeyError), steer(model, Intervention(LAYER, direction(1), scope="prompt")):
        raise KeyError
    assert torch.equal(block_outputs(model, layer=3), before)
    assert all("forward" not in module.__dict__ for module in (*model.blocks, model.base, model.model))


def test_nested_steering_adds_up_and_unwinds(language_model):
    model, one, other = (
        language_model(),
        Intervention(LAYER, direction(1)),
        Intervention(LAYER, direction(2), "rotate", 0.2),
    )
    with steer(model, one):
        nested = block_outputs(model, other)
        outer = block_outputs(model)
    torch.testing.assert_close(nested, block_outputs(model, one, other))
    torch.testing.assert_close(outer, block_outputs(model, one))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Intervention(0, direction(1)), "blocks 1 to 3"),
        (Intervention(4, direction(1)), "blocks 1 to 3"),
        (Intervention(1, direction(1, size=8)), r"shape \(8,\)"),
        (Intervention(1, np.zeros(16, dtype=np.float32)), "no direction"),
        (Intervention(1, direction(1), strength=float("nan")), "strength=nan"),
        (Intervention(1, direction(1), "clamp", target=float("inf")), "target=inf"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused(language_model, wrong, message):
    with pytest.raises(SteeringError, match=message), steer(language_model(), wrong):
        pass


def test_an_unknown_operator_or_scope_names_the_closest(language_model):
    with pytest.raises(UnknownNameError, match="did you mean 'ablate'"):
        block_outputs(language_model(), Intervention(1, direction(1), "ablat"))
    with pytest.raises(UnknownNameError, match="did you mean 'generated'"):
        block_outputs(language_model(), Intervention(1, direction(1), scope="generate"))


def test_edits_for_all_rows_and_for_each_row_do_not_mix(language_model):
    one = Intervention(1, direction(1))
    with pytest.raises(SteeringError, match="put the former into each row"), steer(language_model(), one, rows=[[one]]):
        pass


# Compiled models


@pytest.mark.parametrize(
    ("backend", "scope"),
    [
        ("eager", "last-prompt"),
        ("eager", "all"),
        ("inductor", "all"),
        ("inductor", "last-prompt"),
    ],
)
@pytest.mark.slow
def test_a_model_compiled_before_is_steered_and_restored(language_model, backend, scope):
    if backend == "inductor" and shutil.which("g++") is None and shutil.which("clang++") is None:
        pytest.skip("torch.compile needs a C++ compiler for the processor, and there is none")
    model, one = language_model(), Intervention(LAYER, direction(1), scope=scope)
    torch._dynamo.reset()
    compiled = torch.compile(model.model, backend=backend)
    with torch.no_grad():
        plain = compiled(input_ids=PROMPTS).logits.clone()
        with steer(model, one):
            steered = compiled(input_ids=PROMPTS).logits.clone()
            expected = model.model(input_ids=PROMPTS).logits
        torch.testing.assert_close(steered, expected, rtol=1e-4, atol=1e-4)
        assert not torch.allclose(steered, plain, rtol=1e-2, atol=1e-2)
        torch.testing.assert_close(compiled(input_ids=PROMPTS).logits, plain)
