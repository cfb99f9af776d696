"""The part of taking pictures that needs Odoo: the demo company, and a headless Chromium that looks at it."""

import base64
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import demo_data
import websocket
from env import runtime
from env.session import odoo_environment

WIDTH, HEIGHT = 1366, 800
#: The steps to each picture, each the name of a method of `Page` and its words.
PICTURES = json.loads((Path(__file__).parent / "demo" / "pictures.json").read_text())


class Page:
    """One tab of a headless Chromium, driven through its DevTools protocol."""

    def __init__(self, chromium, address):
        self.address = address
        self.folder = tempfile.mkdtemp()
        port = runtime.free_port()
        words = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-allow-origins=*"]
        words += [f"--user-data-dir={self.folder}", f"--remote-debugging-port={port}", "about:blank"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen([chromium, *words], **quiet)
        self.socket = websocket.create_connection(self._debugger(port), timeout=60)
        self.number = 0
        self.errors = []
        self.call("Page.enable")
        self.call("Runtime.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT, deviceScaleFactor=1, mobile=False)

    def _debugger(self, port):
        for _moment in range(200):
            with contextlib.suppress(OSError):
                tabs = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json"))  # noqa: S310 (our own)
                return next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
            time.sleep(0.1)
        raise SystemExit("✗ Chromium does not start.")

    def call(self, method, **params):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("method") == "Runtime.exceptionThrown":
                self.errors.append(message["params"]["exceptionDetails"].get("text"))
            if message.get("id") == self.number:
                return message["result"]

    def run(self, script):
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        return None if "exceptionDetails" in result else result["result"].get("value")

    def wait(self, *selectors, seconds=40):
        """Wait until every selector finds something, and then until nothing loads any more."""
        for selector in selectors:
            end = time.time() + seconds
            while not self.run(f"!!document.querySelector({selector!r})"):
                if time.time() > end:
                    raise SystemExit(f"✗ {selector} did not appear. {self.errors or ''}")
                time.sleep(0.1)
        time.sleep(1)

    def open(self, path, *selectors):
        self.call("Page.navigate", url=self.address + path)
        self.wait(*selectors)

    def click(self, selector, text=""):
        self.wait(selector)
        self.run(
            f"[...document.querySelectorAll({selector!r})].find(node => node.innerText.includes({text!r})).click()"
        )

    def click_row(self, cell, *texts):
        """Click a cell in the first row of a list that shows all these texts."""
        self.wait(".o_data_row")
        self.run(
            f"[...document.querySelectorAll('.o_data_row')]"
            f".find(row => {list(texts)}.every(text => row.innerText.includes(text))).querySelector({cell!r}).click()"
        )

    def press(self, characters):
        for character in characters:
            self.call("Input.dispatchKeyEvent", type="keyDown", key=character, text=character)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=character)
            time.sleep(0.3)

    def scroll_to(self, selector):
        self.run(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center'}})")
        self.wait(".o_form_view")

    def sleep(self, seconds):
        time.sleep(seconds)

    def begin_as(self, name):
        """Go where another picture is taken."""
        for method, *words in PICTURES[name]:
            getattr(self, method)(*words)

    def log_in(self, login):
        self.open("/web/login", "input[name=login]")
        self.run(
            f"document.querySelector('input[name=login]').value = {login!r};"
            f"document.querySelector('input[name=password]').value = {login!r};"
            "document.querySelector('form.oe_login_form').submit()"
        )
        self.wait(".o_main_navbar")

    def picture(self, file):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        file.write_bytes(base64.b64decode(data))

    def close(self):
        with contextlib.suppress(Exception):
            self.call("Browser.close")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def main(database, port, chromium, folder, *names):
    # First: Odoo limits the memory of its process, and so that of what it starts; a browser needs more.
    page = Page(chromium, f"http://localhost:{port}")
    try:
        with odoo_environment(database, http_port=int(port)) as env:
            _prepare(env, port)
            page.log_in("admin")
            page.begin_as("debtors")  # so that the menu at the top is ours
            for name in names or [*PICTURES, *PAPERS]:
                file = Path(folder) / f"{name}.png"
                if name in PICTURES:
                    page.begin_as(name)
                    page.picture(file)
                else:
                    _picture_of_paper(PAPERS[name](env), file)
                print(f"  docs/images/{name}.png", flush=True)
    finally:
        page.close()


def _prepare(env, port):
    """Load the demo company; what is due today stays a proposal."""
    env["ir.config_parameter"].set_param("web.base.url", f"http://localhost:{port}")
    demo_data.load(env)
    env["dunning.policy"].search([]).approval = "approval"
    env.cr.commit()
    outcome = env.ref("l10n_nl_dunning.ir_cron_dunning_plan").method_direct_trigger()
    if outcome is not True:
        raise SystemExit(f"✗ Planning failed: {outcome}")
    env.cr.commit()


def _picture_of_paper(pdf, file):
    """Write the first page of a PDF as a picture."""
    program = shutil.which("pdftoppm")
    if not program:
        raise SystemExit("✗ Pictures of letters need pdftoppm, from the package poppler-utils.")
    words = [program, "-png", "-r", "90", "-singlefile", "-", str(file.with_suffix(""))]
    subprocess.run(words, input=pdf, check=True)


# --- paper ---


def _sent(env, debtor, level):
    notices = env["dunning.notice"].search([("partner_id.ref", "=", debtor), ("state", "=", "sent")])
    return notices.filtered(lambda notice: notice.level_id == env.ref(f"l10n_nl_dunning.level_{level}"))[:1]


def letter(env):
    return base64.b64decode(_sent(env, "D1002", "business_second").letter_file)


def fourteen_day_letter(env):
    return base64.b64decode(_sent(env, "D1005", "consumer_fourteen_day").letter_file)


def specification(env):
    """What the consumer of whom the fourteen days ran out owes today."""
    debtor = env["res.partner"].search([("ref", "=", "D1021")])
    item = _sent(env, "D1021", "consumer_fourteen_day").line_ids.move_line_id
    wizard = env["dunning.specification"].browse(env["dunning.specification"]._action_open(debtor, item)["res_id"])
    [document] = wizard._prepare_documents()
    return env["dunning.claim"]._print_specification(document)


PAPERS = {paper.__name__: paper for paper in (letter, fourteen_day_letter, specification)}

if __name__ == "__main__":
    main(*sys.argv[1:])
