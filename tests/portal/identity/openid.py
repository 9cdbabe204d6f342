"""A small OpenID provider over HTTPS on the loopback. It imports nothing of the portal, so it can disagree with it.

It keeps what it is told (a nonce, a challenge, where to send back to) and checks it as a provider does. Everything it
says may be bent by a test.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from joserfc import jwe, jwk, jwt

CLIENT, SECRET = "portal", "a secret: with % and ü"
WELL_KNOWN = "/.well-known/openid-configuration"


class OpenId:
    """Two issuers on one server, `first` and `second`, with keys of their own."""

    def __init__(self, folder: Path) -> None:
        self.authority = folder / "authority.pem"
        chain = _certificates(folder, self.authority)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(chain)
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.socket = self.context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.server.issuers = {
            name: Issuer(f"https://localhost:{self.server.server_address[1]}/{name}")
            for name in ("first", "second")
        }
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def __getitem__(self, name: str) -> Issuer:
        return self.server.issuers[name]

    @contextmanager
    def dripping(self) -> Iterator[str]:
        """A server that sends one byte of a header at a time, and never the end of it."""
        over = threading.Event()

        def drip(plain: socket.socket) -> None:
            with suppress(OSError), self.context.wrap_socket(plain.accept()[0], server_side=True) as line:
                line.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while not over.wait(0.05):
                    line.sendall(b"x")

        with socket.create_server(("127.0.0.1", 0)) as plain:
            thread = threading.Thread(target=drip, args=[plain])
            thread.start()
            yield f"https://localhost:{plain.getsockname()[1]}/"
            over.set()
            thread.join()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Issuer:
    """One issuer: its people, its keys, and how it misbehaves."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = jwk.RSAKey.generate_key(2048, {"kid": "one"})
        self.other_key = jwk.RSAKey.generate_key(2048, {"kid": "two"})
        self.released = threading.Event()
        self.released.set()
        self.behave()

    def behave(self) -> None:
        """Forgets everything, and does as the standard says from now on."""
        self.published = [self.key]
        self.signing: Any = self.key
        self.algorithm = "RS256"
        self.encrypts_for = ""
        self.present = "jan"
        self.claims: dict[str, Any] = {}
        self.document: dict[str, Any] = {}
        self.instead: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.token_answer: tuple[int, dict[str, str]] | None = None
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.released.set()

    def sign_in(self, address: str, subject: str, **bent: str) -> str:
        """Somebody signs in at the authorization address; returns where his browser is sent back to."""
        assert address.startswith(f"{self.url}/authorize?")
        question = dict(parse_qsl(urlsplit(address).query))
        assert question["response_type"] == "code"
        assert question["client_id"] == CLIENT
        assert question["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = {**question, "subject": subject}
        answer = {"code": code, "state": question["state"], **bent}
        return question["redirect_uri"] + "?" + urlencode({k: v for k, v in answer.items() if v})

    # --- what it answers ---------------------------------------------------------------------------

    def answer(self, path: str, query: str, headers: Any, body: str) -> tuple[int, dict[str, str], bytes]:
        self.asked.append(path)
        if not self.released.is_set():
            self.released.wait(20)
        if path in self.instead:
            return self.instead[path]
        if path == WELL_KNOWN:
            return _json(200, self.describe())
        if path == "/keys":
            return _json(200, {"keys": [key.as_dict(private=False, use="sig") for key in self.published]})
        if path == "/authorize":  # somebody who is signed in there already is sent back at once
            return 302, {"Location": self.sign_in(f"{self.url}/authorize?{query}", self.present)}, b""
        if path == "/token":
            return _json(*self.exchange(headers, dict(parse_qsl(body))))
        return _json(404, {})

    def describe(self) -> dict[str, Any]:
        described = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }
        return {name: value for name, value in (described | self.document).items() if value is not None}

    def exchange(self, headers: Any, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if self.token_answer:
            return self.token_answer
        if self.who(headers, form) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        question = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            question is None
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != question["redirect_uri"]
            or challenge != question["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        return 200, {
            "access_token": "not asked for",
            "token_type": "Bearer",
            "id_token": self.token(question),
        }

    def who(self, headers: Any, form: dict[str, str]) -> tuple[str, str]:
        if "client_secret" in form:
            return form["client_id"], form["client_secret"]
        scheme, _space, value = headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            return "", ""
        name, _colon, secret = base64.b64decode(value).decode().partition(":")
        return unquote_plus(name), unquote_plus(secret)

    def token(self, question: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": question["subject"],
            "iat": now,
            "exp": now + 300,
            "nonce": question["nonce"],
        } | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.algorithm == "none":
            parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
            return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."
        header = {"alg": self.algorithm, "kid": self.signing.kid}
        signed = jwt.encode(header, claims, self.signing, algorithms=[self.algorithm])
        if not self.encrypts_for:
            return signed
        key = jwk.OctKey.import_key(hashlib.sha256(self.encrypts_for.encode()).digest())
        return jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM", "cty": "JWT"}, signed.encode(), key)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    issuers: dict[str, Issuer]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up, or does not trust the certificate, is no fault of the server."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 20

    def do_GET(self) -> None:
        self.respond("")

    def do_POST(self) -> None:
        self.respond(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def respond(self, body: str) -> None:
        parts = urlsplit(self.path)
        _root, name, path = parts.path.split("/", 2)
        issuer = self.server.issuers[name]
        status, headers, content = issuer.answer(f"/{path}", parts.query, self.headers, body)
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


def _json(status: int, document: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()


def query_of(address: str) -> dict[str, str]:
    """The query of an address, each name once."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def _certificates(folder: Path, authority: Path) -> Path:
    """An authority, and the certificate that it gives to this machine's loopback; returns key and certificate."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the tests")])
    start = datetime.now(UTC) - timedelta(hours=1)

    def build(name: x509.Name, public: Any) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(root).public_key(public)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(start).not_valid_after(start + timedelta(days=2))
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        return builder.add_extension(issuer, critical=False)

    unused = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    unused += ("crl_sign", "encipher_only", "decipher_only")
    usage = dict.fromkeys(unused, False)
    ours = build(root, root_key.public_key()).add_extension(x509.BasicConstraints(True, None), critical=True)
    ours = ours.add_extension(
        x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), critical=True
    )
    authority.write_bytes(ours.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    host = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    theirs = build(host, key.public_key()).add_extension(names, critical=False)
    theirs = theirs.add_extension(x509.BasicConstraints(False, None), critical=True)
    chain = folder / "server.pem"
    chain.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + theirs.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    return chain
