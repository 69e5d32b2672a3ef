"""What a page in a browser of the same computer can send without being asked: none of it reads or changes anything."""

import json
from urllib.parse import urlencode

import pytest

from tests.process.conftest import Hosts
from tests.process.host import Host

TIP = json.dumps({"content": "from a page"}).encode()
FROM_A_PAGE = ("Origin: https://attacker.example", "Sec-Fetch-Site: cross-site", "Cookie: token=0")


def request(host: Host, method: str, target: str, *headers: str, body: bytes = b"", name: str | None = None) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {name or '127.0.0.1'}:{host.port}", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", urlencode({"content": "from a page"}).encode()),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="content"\r\n\r\nx\r\n--x--'),
        ("text/plain", TIP),
        ("text/plain;application/json", TIP),
        ("application/json", TIP),
    ],
)
def test_a_form_and_a_fetch_are_refused(hosts: Hosts, kind: str, body: bytes) -> None:
    host = hosts.start()
    assert host.exchange(request(host, "POST", "/tips", *FROM_A_PAGE, f"Content-Type: {kind}", body=body)).status == 403
    assert host.exchange(request(host, "POST", "/tips", f"Content-Type: {kind}", body=body)).status == 401
    assert host.tips() == []


@pytest.mark.parametrize("target", ["/tips", "/events", "/transfer/export", "/openapi.json"])
def test_an_image_and_a_script_load_nothing(shared_host: Host, target: str) -> None:
    """A page's plain GET has no Origin."""
    answer = shared_host.exchange(request(shared_host, "GET", target, "Sec-Fetch-Site: cross-site"))
    assert (answer.status, answer.code) == (401, "unauthorized")


@pytest.mark.parametrize("name", ["attacker.example", "localhost", "127.0.0.1.nip.io", "2130706433", "0x7f.1", "[::1]"])
def test_a_name_that_was_rebound_to_this_computer_is_refused(shared_host: Host, name: str) -> None:
    """Such a page is of the same origin as what it asks; it even has the token here."""
    headers = (f"Authorization: Bearer {shared_host.token}", "Sec-Fetch-Site: same-origin")
    for target in ("/tips", "/health/live"):
        answer = shared_host.exchange(request(shared_host, "GET", target, *headers, name=name))
        assert (answer.status, answer.code) == (403, "forbidden")


def test_a_token_in_the_url_opens_nothing_and_is_not_logged(hosts: Hosts) -> None:
    host = hosts.start(settings={"log": {"level": "debug"}})
    for target in (f"/tips?token={host.token}", f"/{host.token}/tips", f"/events?access_token={host.token}"):
        assert host.exchange(request(host, "GET", target)).status == 401
    hosts.stop(host)
    assert host.token not in host.stderr
    assert host.token not in (hosts.data_dir / "logs" / "sidecar.log").read_text()
