import pytest
from transformers import PreTrainedTokenizerFast

from polyethos.dataset.pairs import Sentence
from polyethos.errors import ModelLoadError
from polyethos.representation.template import Template, resolve_template
from polyethos.representation.tokens import read_sentences

CHAT = "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content | trim }} {% endfor %}[reply] "


@pytest.fixture
def chatty(tokenizer: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer.backend_tokenizer, bos_token="<s>", eos_token="</s>", chat_template=CHAT
    )


def tokens(tokenizer: PreTrainedTokenizerFast, template: Template, text: str) -> tuple[int, ...]:
    return read_sentences([Sentence("", text)], tokenizer, template, position="last", limit=None)[0].tokens


def test_auto_is_the_chat_template_where_there_is_one(tokenizer, chatty):
    assert resolve_template("auto", chatty, model="m").text == "<s>[user] {input} [reply] "
    assert resolve_template("auto", tokenizer, model="m").text == "{input}"


def test_a_chat_template_does_not_double_the_first_special_token(chatty):
    template = resolve_template("chat", chatty, model="m")
    expected = chatty.apply_chat_template([{"role": "user", "content": "I"}], add_generation_prompt=True)
    expected_ids = expected["input_ids"] if not isinstance(expected, list) else expected
    found = tokens(chatty, template, "I")
    assert list(found) == expected_ids
    assert found.count(chatty.bos_token_id) == 1


def test_a_published_template_is_read_as_the_tokenizer_reads_its_text(tokenizer):
    template = resolve_template("[INST] {input} [/INST] ", tokenizer, model="m")
    assert list(tokens(tokenizer, template, "I kept it.")) == tokenizer("[INST] I kept it. [/INST] ")["input_ids"]


def test_a_template_that_writes_the_first_special_token_itself_gets_it_once(tokenizer):
    template = resolve_template("<s>{input}", tokenizer, model="m")
    assert tokens(tokenizer, template, "I").count(tokenizer.bos_token_id) == 1


@pytest.mark.parametrize("wrong", ["no place", "{input} and {input}"])
def test_a_template_without_exactly_one_place_is_an_error(tokenizer, wrong):
    with pytest.raises(ModelLoadError, match="exactly once"):
        resolve_template(wrong, tokenizer, model="m")


def test_asking_for_a_chat_template_that_is_not_there_is_an_error(tokenizer):
    with pytest.raises(ModelLoadError, match="no chat template"):
        resolve_template("chat", tokenizer, model="m")


@pytest.mark.parametrize(
    "broken", ["{{ messages[0].content | upper }}", "no messages", "{{ messages[0].absent.thing }}"]
)
def test_a_chat_template_that_changes_the_text_is_an_error(chatty, broken):
    chatty.chat_template = broken
    with pytest.raises(ModelLoadError, match="write your own"):
        resolve_template("chat", chatty, model="m")


def test_a_chat_template_that_writes_the_date_gets_the_same_one_every_day(chatty):
    chatty.chat_template = (
        "{% if date_string is not defined %}{{ strftime_now('%d') }}{% endif %}{{ messages[0].content }}"
    )
    assert resolve_template("chat", chatty, model="m").text == "{input}"
