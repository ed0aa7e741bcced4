"""A real browser for tests: Chromium without a window, told what to do over its DevTools protocol.

It collects what a person would see as broken: errors on the console, exceptions, files that are
missing. `serve` gives a folder an address on this machine, because a site does not open from the
file system.
"""

import asyncio
import base64
import functools
import json
import shutil
import subprocess
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)


def executable():
    """The browser's path; skips the test, and says why, where there is none."""
    pytest.importorskip("tornado", reason="needs tornado to talk to a browser")
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("needs a browser: on Debian, apt-get install chromium")


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and writes nothing."""

    def log_message(self, format, *args):
        pass


@contextmanager
def serve(folder):
    """Serve a folder on this machine; give its address."""
    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def chromium(profile):
    """Start a browser with an empty profile; give the address of its first page."""
    command = [executable(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port = until(lambda: read_port(profile), 60, "the browser did not start")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=30) as answer:
            pages = [target for target in json.load(answer) if target["type"] == "page"]
        yield pages[0]["webSocketDebuggerUrl"]
    finally:
        process.terminate()
        process.wait(30)


def read_port(profile):
    path = profile / "DevToolsActivePort"
    text = path.read_text() if path.exists() else ""
    return text.split()[0] if "\n" in text else None


def until(condition, seconds, message):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError(message)


class Page:
    """One page: `errors` is what went wrong on it so far."""

    def __init__(self, socket):
        self.socket, self.errors, self.requests, self.answers = socket, [], [], {}
        self.number = 0

    async def listen(self):
        while text := await self.socket.read_message():
            message = json.loads(text)
            if "id" in message:
                self.answers.pop(message["id"]).set_result(message)
            else:
                self.note(message["method"], message["params"])

    def note(self, method, told):
        match method:
            case "Runtime.exceptionThrown":
                thrown = told["exceptionDetails"]
                text = thrown.get("exception", {}).get("description") or json.dumps(thrown)
                self.errors.append(text[-2000:])
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "assert"):
                self.errors.append(json.dumps(told["args"])[-2000:])
            case "Log.entryAdded" if told["entry"]["level"] == "error":
                self.errors.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Network.responseReceived" if told["response"]["status"] >= 400:
                self.errors.append(f"{told['response']['status']} {told['response']['url']}")
            case "Network.loadingFailed" if not told.get("canceled"):
                self.errors.append(f"not loaded: {told['errorText']}")

    async def call(self, method, **params):
        self.number += 1
        answer = self.answers[self.number] = asyncio.get_running_loop().create_future()
        request = {"id": self.number, "method": method, "params": params}
        await self.socket.write_message(json.dumps(request))
        message = await asyncio.wait_for(answer, 120)
        assert "error" not in message, message
        return message["result"]

    async def value(self, script):
        """Value of a JavaScript expression; of a promise, what it gives."""
        answer = await self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def wait_for(self, script, seconds=60):
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not await self.value(script):
            assert time.monotonic() < end, f"not after {seconds} s: {script}; {self.errors}"
            await asyncio.sleep(0.2)

    async def go(self, address):
        await self.call("Page.navigate", url=address)
        await self.wait_for("location.href != 'about:blank' && document.readyState == 'complete'")

    async def picture(self, path, whole=False):
        """Take a picture of what is visible, or of the whole page."""
        answer = await self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))


def browse(profile, visit, width=1200, height=900):
    """Run the coroutine function `visit` on a page of a new browser; return its value."""

    async def work(address):
        from tornado.websocket import websocket_connect

        socket = await websocket_connect(address, max_message_size=2**28)
        page = Page(socket)
        listening = asyncio.ensure_future(page.listen())
        for domain in ("Page", "Runtime", "Log", "Network"):
            await page.call(f"{domain}.enable")
        await page.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        try:
            return await visit(page)
        finally:
            socket.close()
            await asyncio.wait_for(listening, 30)  # the browser's answer closes it

    with chromium(profile) as address:
        return asyncio.run(work(address))
