"""Who may speak to the sidecar, on a real socket: token, Host, Origin, the body's size and kind."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from .conftest import Hosts
from .host import Host

CAP = 4096
"""The largest body that `shared_host` takes, in bytes."""


def request(host: Host, method: str = "GET", target: str = "/todos", *headers: str, body: bytes = b"") -> bytes:
    """A request with the right Host, and otherwise only what is given."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{host.port}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def bearer(host: Host) -> str:
    return f"Authorization: Bearer {host.token}"


class TestToken:
    def test_with_it_a_request_is_answered(self, shared_host: Host) -> None:
        assert shared_host.exchange(request(shared_host, "GET", "/todos", bearer(shared_host))).status == 200

    def test_without_it_a_request_is_refused(self, shared_host: Host) -> None:
        answer = shared_host.exchange(request(shared_host))
        assert (answer.status, answer.code) == (401, "unauthorized")

    @pytest.mark.parametrize(
        "authorization",
        [
            "Bearer " + "0" * 64,
            "Bearer",
            "Bearer ",
            "",
            "Basic {token}",
            "{token}",
            "Bearer {token}0",
            "Bearer {short}",
        ],
    )
    def test_anything_else_is_refused(self, shared_host: Host, authorization: str) -> None:
        header = "Authorization: " + authorization.format(token=shared_host.token, short=shared_host.token[:-1])
        answer = shared_host.exchange(request(shared_host, "GET", "/todos", header))
        assert (answer.status, answer.code) == (401, "unauthorized")

    @pytest.mark.parametrize("name", ["token", "access_token", "authorization", "Authorization"])
    def test_in_the_url_it_is_worth_nothing(self, shared_host: Host, name: str) -> None:
        answer = shared_host.exchange(request(shared_host, "GET", f"/todos?{name}={shared_host.token}"))
        assert (answer.status, answer.code) == (401, "unauthorized")

    @pytest.mark.parametrize("wrong_first", [True, False])
    def test_given_twice_a_request_is_refused(self, shared_host: Host, wrong_first: bool) -> None:
        headers = ["Authorization: Bearer wrong", bearer(shared_host)]
        answer = shared_host.exchange(
            request(shared_host, "GET", "/todos", *(headers if wrong_first else reversed(headers)))
        )
        assert (answer.status, answer.code) == (403, "forbidden")

    def test_the_token_of_another_instance_is_refused(self, shared_host: Host, hosts: Hosts) -> None:
        other = hosts.start()
        answer = shared_host.exchange(request(shared_host, "GET", "/todos", bearer(other)))
        assert answer.status == 401

    @pytest.mark.parametrize("target", ["/health/ready", "/openapi.json", "/nowhere", "/health/live/", "//health/live"])
    def test_everything_but_live_needs_it(self, shared_host: Host, target: str) -> None:
        assert shared_host.exchange(request(shared_host, "GET", target)).status == 401

    @pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS", "DELETE"])
    def test_live_is_open_only_to_be_read(self, shared_host: Host, method: str) -> None:
        answer = shared_host.exchange(request(shared_host, method, "/health/live", "Content-Length: 0"))
        assert answer.status == 401

    def test_live_is_open(self, shared_host: Host) -> None:
        assert shared_host.exchange(request(shared_host, "GET", "/health/live")).status == 200


class TestHostHeader:
    @pytest.mark.parametrize(
        "value",
        [
            "localhost:{port}",
            "127.0.0.1",
            "127.0.0.1:1",
            "attacker.example:{port}",
            "[::1]:{port}",
            "127.0.0.1:{port}.",
        ],
    )
    @pytest.mark.parametrize("target", ["/todos", "/health/live"])
    def test_a_foreign_one_is_refused(self, shared_host: Host, value: str, target: str) -> None:
        head = [f"GET {target} HTTP/1.1", "Host: " + value.format(port=shared_host.port), bearer(shared_host), "", ""]
        answer = shared_host.exchange("\r\n".join(head).encode())
        assert (answer.status, answer.code) == (403, "forbidden")

    def test_none_at_all_is_refused(self, shared_host: Host) -> None:
        answer = shared_host.exchange(f"GET /todos HTTP/1.0\r\n{bearer(shared_host)}\r\n\r\n".encode())
        assert (answer.status, answer.code) == (403, "forbidden")

    def test_two_of_them_are_refused(self, shared_host: Host) -> None:
        answer = shared_host.exchange(
            request(shared_host, "GET", "/todos", "Host: attacker.example", bearer(shared_host))
        )
        assert (answer.status, answer.code) == (403, "forbidden")

    def test_a_target_with_a_host_of_its_own_changes_nothing(self, shared_host: Host) -> None:
        head = ["GET http://attacker.example/todos HTTP/1.1", "Host: attacker.example", bearer(shared_host), "", ""]
        assert shared_host.exchange("\r\n".join(head).encode()).status == 403


class TestOrigin:
    @pytest.mark.parametrize("origin", ["https://attacker.example", "null", "http://127.0.0.1:{port}", "app://console"])
    @pytest.mark.parametrize("target", ["/todos", "/health/live"])
    def test_a_request_from_a_page_is_refused(self, shared_host: Host, origin: str, target: str) -> None:
        header = "Origin: " + origin.format(port=shared_host.port)
        answer = shared_host.exchange(request(shared_host, "GET", target, header, bearer(shared_host)))
        assert (answer.status, answer.code) == (403, "forbidden")

    def test_a_preflight_is_refused_and_allows_nothing(self, shared_host: Host) -> None:
        answer = shared_host.client.options(
            "/todos", headers={"Origin": "https://attacker.example", "Access-Control-Request-Method": "POST"}
        )
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control-")]

    def test_an_origin_that_is_allowed_passes_and_only_that_one(self, hosts: Hosts) -> None:
        host = hosts.start(settings={"server": {"allowed_origins": ["app://console"]}})
        for origin, status in (("app://console", 200), ("app://console.example", 403), ("app://other", 403)):
            assert host.client.get("/todos", headers={"Origin": origin}).status_code == status


class TestBody:
    def post(self, host: Host, *headers: str, body: bytes, kind: str = "application/json") -> bytes:
        return request(host, "POST", "/tips", bearer(host), f"Content-Type: {kind}", *headers, body=body)

    def tip(self, size: int) -> bytes:
        """A body of exactly so many bytes."""
        empty = len(json.dumps({"content": ""}))
        return json.dumps({"content": "x" * (size - empty)}).encode()

    def test_up_to_the_cap_it_is_taken(self, shared_host: Host) -> None:
        post = self.post(shared_host, f"Content-Length: {CAP}", body=self.tip(CAP))
        assert shared_host.exchange(post).status == 201

    def test_above_the_cap_it_is_refused_by_its_announced_length(self, shared_host: Host) -> None:
        answer = shared_host.exchange(self.post(shared_host, f"Content-Length: {CAP + 1}", body=b""))
        assert (answer.status, answer.code) == (413, "body_too_large")

    def test_far_above_the_cap_the_answer_still_arrives(self, shared_host: Host) -> None:
        answer = shared_host.client.post("/tips", json={"content": "x" * 20_000_000})
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")

    def test_above_the_cap_it_is_refused_when_it_comes_in_chunks(self, shared_host: Host) -> None:
        whole = self.tip(CAP + 1)
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (whole[:4000], whole[4000:]))
        post = self.post(shared_host, "Transfer-Encoding: chunked", body=chunks + b"0\r\n\r\n")
        answer = shared_host.exchange(post)
        assert (answer.status, answer.code) == (413, "body_too_large")

    def test_in_chunks_up_to_the_cap_it_is_taken(self, shared_host: Host) -> None:
        whole = self.tip(CAP)
        post = self.post(shared_host, "Transfer-Encoding: chunked", body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(whole), whole))
        assert shared_host.exchange(post).status == 201

    @pytest.mark.parametrize("length", ["-1", "many", "1, 2", "0x10", "9" * 30, "9" * 5000, "1_0", "²"])
    def test_a_length_that_is_no_number_is_refused(self, shared_host: Host, length: str) -> None:
        status = shared_host.exchange(self.post(shared_host, f"Content-Length: {length}", body=b"{}")).status
        assert status in (400, 413)

    def test_two_lengths_are_refused(self, shared_host: Host) -> None:
        post = self.post(shared_host, "Content-Length: 2", "Content-Length: 3", body=b"{}")
        assert shared_host.exchange(post).status == 400

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"])
    def test_what_is_not_announced_as_json_is_refused(self, shared_host: Host, kind: str) -> None:
        body = self.tip(100)
        answer = shared_host.exchange(self.post(shared_host, f"Content-Length: {len(body)}", body=body, kind=kind))
        assert (answer.status, answer.code) == (415, "unsupported_media_type")

    @pytest.mark.parametrize(
        "body",
        [b'{"content":"\xff\xfe"}', '{"content":"é"}'.encode("latin-1"), '{"content":"x"}'.encode("utf-16"), b"{", b""],
        ids=["not UTF-8", "Latin-1", "UTF-16", "cut off", "empty"],
    )
    def test_what_is_not_json_in_utf_8_is_refused(self, shared_host: Host, body: bytes) -> None:
        answer = shared_host.exchange(self.post(shared_host, f"Content-Length: {len(body)}", body=body))
        assert (answer.status, answer.code) == (400, "malformed_request")

    def test_half_of_a_character_is_refused_with_its_field_and_index(self, shared_host: Host) -> None:
        body = rb'{"content":"half \ud83d"}'
        answer = shared_host.exchange(self.post(shared_host, f"Content-Length: {len(body)}", body=body))
        problem = json.loads(answer.body)
        assert (answer.status, problem["code"], problem["errors"][0]["field"]) == (422, "invalid_input", "body.content")
        assert "index 5 is the lone surrogate \\ud83d" in problem["errors"][0]["message"]

    def test_millions_of_values_are_refused_and_hold_nobody_up(self, hosts: Hosts) -> None:
        host = hosts.start()
        longest = 0.0
        with ThreadPoolExecutor() as pool:
            kind = {"Content-Type": "application/json"}
            refused = pool.submit(host.client.post, "/tips", content=b"[" + b"[]," * 4_000_000 + b"[]]", headers=kind)
            with host.new_client() as another:
                while not refused.done():
                    began = time.perf_counter()
                    assert another.get("/health/live").status_code == 200
                    longest = max(longest, time.perf_counter() - began)
        assert (refused.result().status_code, refused.result().json()["code"]) == (413, "body_too_complex")
        assert longest < 1.0
        text = "a text: with [signs], " * 500_000
        assert host.client.post("/vaults", json={"title": "long", "content": text}).status_code == 201
        todos = [{"content": text[:200], "urgency": 1}] * 1_000
        assert host.client.post("/todos/batch", json={"todos": todos}).status_code == 201

    def test_thousands_of_mistakes_are_refused_without_naming_each(self, hosts: Hosts) -> None:
        host = hosts.start()
        answer = host.client.post("/tips", json={f"a{number}": 0 for number in range(50_000)})
        assert answer.status_code == 422
        assert len(answer.content) < 1_000

    def test_a_refused_body_changes_nothing(self, hosts: Hosts) -> None:
        host = hosts.start(settings={"server": {"max_body_bytes": CAP}})
        host.exchange(self.post(host, f"Content-Length: {CAP + 1}", body=self.tip(CAP + 1)))
        host.exchange(self.post(host, "Content-Length: 100", body=self.tip(100), kind="text/plain"))
        assert host.tips() == []

    def test_the_connection_serves_on_after_a_refusal(self, shared_host: Host) -> None:
        for _ in range(3):
            assert shared_host.client.post("/tips", json={"content": "x" * CAP}).status_code == 413
            assert shared_host.client.get("/tips").status_code == 200


def test_an_answer_does_not_tell_what_it_is_served_by(shared_host: Host) -> None:
    headers = shared_host.client.get("/health/live").headers
    assert "server" not in headers


@pytest.mark.parametrize("target", ["/health/live", "/todos"])
def test_only_the_loopback_address_is_listened_on(shared_host: Host, target: str) -> None:
    import psutil

    listening = [
        connection.laddr.ip
        for connection in psutil.Process(shared_host.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]
