#!/usr/bin/env python3
"""Take the pictures of static/help/images again: the demo company in a real browser, in Dutch.

Pictures to take can be named: `dev/screenshots.py invoice contact`.
"""

import base64
import json
import logging
import shutil
import subprocess
import sys
import time
from pathlib import Path

from env import bootstrap, database, paths, runtime, say, session

IMAGES = paths.CHECKOUT / "static" / "help" / "images"
#: The steps to each picture, each the name of a method of `Page` and its words.
PICTURES = json.loads((Path(__file__).parent / "demo" / "pictures.json").read_text())


class Page:
    """One tab of the browser of Odoo's tests, and the environment of the records that it shows."""

    def __init__(self, address, env=None):
        from odoo.tests.common import ChromeBrowser, HttpCase

        case = HttpCase()
        case.browser_size, case._logger = "1366x800", logging.getLogger("odoo.tests")
        self.address, self.env, self.browser = address, env, ChromeBrowser(case)

    def call(self, method, **params):
        return self.browser._websocket_request(method, params=params, timeout=60)

    def run(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise say.Failure(f"In the browser: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, *selectors, seconds=40):
        """Wait until every selector finds something, and then until nothing loads any more."""
        for selector in selectors:
            end = time.time() + seconds
            while not self.run(f"!!document.querySelector({selector!r})"):
                if time.time() > end:
                    raise SystemExit(f"✗ {selector} did not appear.")
                time.sleep(0.1)
        time.sleep(1)

    def open(self, path, *selectors):
        self.browser.navigate_to(self.address + path)
        self.wait(*selectors)

    def resize(self, width, height, mobile=False):
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def open_page_of(self, debtor, level):
        """Open the page of a debtor with the link of a letter that was sent, on a telephone."""
        notice = _sent(self.env, debtor, level)
        address = notice._get_page_urls()[notice.id][0]
        self.env.cr.commit()
        self.resize(390, 844, mobile=True)
        self.open(address.removeprefix(notice.get_base_url()), "main h2")

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

    def do(self, action, options=None):
        """Open an action (its id or its values) in the web client."""
        words = f"{json.dumps(action, default=str)}, {json.dumps(options or {})}"
        self.run(f"odoo.__WOWL_DEBUG__.root.env.services.action.doAction({words}).then(() => true)")
        self.wait("body:not(:has(.o_loading_indicator)) .o_action_manager > *")

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
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


def main(*names):
    home, _template = bootstrap.ensure(with_browser=True)
    IMAGES.mkdir(parents=True, exist_ok=True)
    port = runtime.free_port()
    with (
        database.copied("demo", database.with_addon(home)) as name,
        session.odoo_environment(name, http_port=port) as env,
    ):
        prepare(env, port)
        page = Page(f"http://127.0.0.1:{port}", env)
        try:
            page.log_in("admin")
            page.begin_as("debtors")  # so that the menu at the top is ours
            for picture in names or [*PICTURES, *PAPERS]:
                file = IMAGES / f"{picture}.png"
                if picture in PICTURES:
                    page.resize(1366, 800)
                    page.begin_as(picture)
                    page.picture(file)
                else:
                    _picture_of_paper(PAPERS[picture](env), file)
                print(f"  static/help/images/{file.name}", flush=True)
        finally:
            page.browser.stop()


def prepare(env, port):
    """Load the demo company; what is due today stays a proposal."""
    import demo_data

    env["ir.config_parameter"].set_param("web.base.url", f"http://localhost:{port}")
    demo_data.load(env)
    env["dunning.policy"].search([]).approval = "approval"
    env.cr.commit()
    demo_data.run_scheduled_actions(env, "l10n_nl_dunning.ir_cron_dunning_plan")


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
    session.run(main, *sys.argv[1:])
