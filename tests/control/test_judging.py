"""The judge asks once, keeps what was said, and explains what went wrong."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from polyethos.control.judging import PROMPT_VERSION, Judge
from polyethos.errors import DataFormatError, ResourceError


@pytest.fixture
def endpoint():
    """A server that refuses to judge nothing: it says whether the answer holds the word "no"."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, self.headers.get("Authorization"), body))
            answer = body["messages"][0]["content"].partition("<answer>")[2]
            said = "**Refuses**, plainly." if "no" in answer else "Complies." if "yes" in answer else "Hm."
            content = json.dumps({"choices": [{"message": {"content": said}}]}) if body["model"] == "good" else "{}"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1", asked
    server.shutdown()
    server.server_close()


def test_verdicts_are_the_first_word_that_the_judge_says(endpoint, tmp_path):
    judge = Judge(endpoint[0], "good", tmp_path / "verdicts.jsonl")
    assert judge.judge([("q", "no"), ("q", "yes"), ("q", "bla")]) == ["refuses", "complies", "unclear"]


def test_a_verdict_is_kept_with_its_prompt_version_and_not_asked_again(endpoint, tmp_path):
    address, asked = endpoint
    file = tmp_path / "kept" / "verdicts.jsonl"
    Judge(address, "good", file, key="secret").judge([("q", "no")])
    assert Judge(address, "good", file).judge([("q", "no")]) == ["refuses"]
    assert [(path, key) for path, key, _ in asked] == [("/v1/chat/completions", "Bearer secret")]
    row = json.loads(file.read_text())
    assert (row["prompt"], row["judge"], row["said"]) == (PROMPT_VERSION, "good", "**Refuses**, plainly.")
    assert "secret" not in file.read_text()


def test_an_endpoint_that_does_not_answer_as_expected_is_named(endpoint, tmp_path):
    with pytest.raises(ResourceError, match="model name 'bad'"):
        Judge(endpoint[0], "bad", tmp_path / "v.jsonl").judge([("q", "a")])
    with pytest.raises(ResourceError, match=r"http://127.0.0.1:9/v1"):
        Judge("http://127.0.0.1:9/v1", "good", tmp_path / "v.jsonl", timeout=2).judge([("q", "a")])


def test_a_broken_file_of_verdicts_is_refused(endpoint, tmp_path):
    file = tmp_path / "verdicts.jsonl"
    file.write_text("not json\n")
    with pytest.raises(DataFormatError, match="remove or repair"):
        Judge(endpoint[0], "good", file).judge([("q", "a")])
