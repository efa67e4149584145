import pytest

from polyethos.errors import InvalidStudyError
from polyethos.study import ModelChoice, Study
from polyethos.study.presets import LLAMA2_TEMPLATE, PRESETS, series_of


def test_the_default_study_is_a_pocket_model_on_the_microworld():
    study = Study()
    assert [model.name for model in study.models] == ["pocket-balanced"]
    assert study.data_source == "microworld"
    assert study.protocol == "corrected"


def test_any_other_model_is_studied_on_everyday_unless_data_is_named():
    assert Study(models="org/model").data_source == "everyday"
    assert Study(models=["pocket-balanced", "org/model"]).data_source == "everyday"
    assert Study(models="org/model", data="pairs.csv").data_source == "pairs.csv"


def test_a_series_stands_for_all_its_models():
    assert [model.name for model in Study(models=["bloomz"]).models] == ["bloomz-560m", "bloomz-1b7", "bloomz-7b1"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"protocol": "papr"}, r"protocol = 'papr': Input should be 'corrected' or 'paper'"),
        ({"languages": ["en", "sv"]}, r"languages = .*unknown language 'sv'"),
        ({"values": "moralty"}, r"unknown value 'moralty'; did you mean 'morality'\?"),
        ({"direction": "pcs"}, r"unknown direction 'pcs'; did you mean 'pca'\?"),
        ({"position": "first"}, r"position = 'first': expected last, content-mean, before-answer or a whole number"),
        ({"folds": 2}, r"folds = 2: Input should be greater than or equal to 3"),
        ({"models": []}, r"models = \[\]: expected at least one model name"),
        ({"models": [{"name": "x", "template": "no place"}]}, r"contains \{input\}"),
        ({"langauges": ["en"]}, r"unknown field 'langauges'; did you mean 'languages'\?"),
        ({"models": ["a/same", "b/same"]}, r"two of \['same', 'same'\] would share one results folder"),
        ({"protocol": "paper", "direction": "pca"}, r"protocol paper .* difference in means; nothing else"),
        ({"values": []}, r"values = .*expected at least one name"),
        ({"memory": "4 apples"}, r"memory = '4 apples': could not interpret byte unit"),
    ],
)
def test_a_wrong_field_is_named_with_what_was_expected(fields, message):
    with pytest.raises(InvalidStudyError, match=message):
        Study(**fields)


def test_a_token_index_may_come_as_text_from_the_command_line():
    assert Study(position="-2").position == -2


def test_every_field_can_come_from_a_toml_file_and_single_ones_be_replaced(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(
        'models = ["bloomz-560m", {name = "org/m", template = "Q: {input} A:"}]\nlanguages = ["en", "ta"]\nseed = 3\n'
    )
    study = Study.from_toml(path, seed=4)
    assert study.models == (ModelChoice(name="bloomz-560m"), ModelChoice(name="org/m", template="Q: {input} A:"))
    assert study.languages == ("en", "ta")
    assert study.seed == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"models = [", "not a TOML file"), (b"\xff\xfe", "not a TOML file"), (b"folds = 0", r"study\.toml: folds = 0")],
)
def test_a_broken_file_is_named(tmp_path, content, message):
    (tmp_path / "study.toml").write_bytes(content)
    with pytest.raises(InvalidStudyError, match=message):
        Study.from_toml(tmp_path / "study.toml")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InvalidStudyError, match=r"absent\.toml: cannot be read"):
        Study.from_toml(tmp_path / "absent.toml")


def test_equal_studies_share_a_fingerprint_and_different_ones_do_not():
    assert Study(languages=["en"]).fingerprint() == Study(languages=("en",)).fingerprint()
    assert Study(languages=["en"]).fingerprint() != Study(languages=["fr"]).fingerprint()


def test_memory_may_be_given_in_units_and_does_not_make_another_study():
    assert Study(memory="4GiB").memory == 4 * 2**30
    assert Study(memory="4GiB").record() == Study().record()


def test_protocol_paper_takes_the_papers_template_of_the_series_and_bare_for_others():
    llama, other = ModelChoice(name="meta-llama/Llama-2-7b-chat-hf"), ModelChoice(name="org/m")
    assert Study(models=[llama], protocol="paper").template_of(llama) == LLAMA2_TEMPLATE
    assert Study(models=[other], protocol="paper").template_of(other) == "bare"
    assert Study(models=[llama]).template_of(llama) == "auto"


def test_a_template_that_was_asked_for_is_never_replaced():
    llama = ModelChoice(name="llama2-chat-7b", template="chat")
    assert Study(models=[llama], protocol="paper").template_of(llama) == "chat"


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("meta-llama/Llama-2-13b-chat-hf", "llama2"),
        ("/models/llama2-chat-7B", "llama2"),
        ("Qwen/Qwen1.5-7B-Chat", "qwen"),
        ("bigscience/bloomz-7b1", "bloomz"),
        ("bigscience/bloom-7b1", None),
        ("meta-llama/Llama-3.1-8B", None),
        ("qwen-folder/mistral", None),
    ],
)
def test_a_series_is_recognised_by_the_last_part_of_the_name(name, series):
    assert series_of(name) == series


def test_every_preset_names_its_own_series():
    assert all(series_of(preset.model) == preset.series for preset in PRESETS.values())


@pytest.mark.parametrize("fields", [{"protocol": "paper"}, {"permutations": 0}, {"direction": "pca"}])
def test_the_untrained_model_is_a_control_of_the_tests_and_needs_them(fields):
    assert Study(untrained=True).is_tested
    with pytest.raises(InvalidStudyError, match="untrained is a control of the corrected tests"):
        Study(untrained=True, **fields)
