"""The rules of the packages (dev/architecture.py), held for this checkout and shown to fail on small made-up ones."""

import re
import textwrap

import architecture
import pytest
from architecture import CHECKOUT, RULES, Addon
from architecture_lists import CORE_METHODS, HOOKS


@pytest.fixture(scope="module")
def addon():
    return Addon(CHECKOUT)


@pytest.fixture(scope="module")
def wrong(addon):
    return addon.wrong()


# --- this checkout ---


@pytest.mark.parametrize("rule", RULES)
def test_rule(rule, wrong):
    found = [line for line in wrong if line.startswith(rule)]
    if found:
        pytest.fail("\n".join([f"{RULES[rule]}. This does not hold for:", *found]), pytrace=False)


def test_due_dates_are_asked_where_they_are_known():
    """An invoice that was sent late is due later: only the due item itself looks at the day of its journal item."""
    raw = re.compile(r"\bitem\.date_maturity\b|Domain\('date_maturity'")
    found = [
        str(path.relative_to(CHECKOUT)) for folder in ("models", "wizards", "controllers")
        for path in (CHECKOUT / folder).rglob("*.py") if raw.search(path.read_text())]
    assert found == []
    assert raw.search("items & Domain('date_maturity', '<', day)")


def test_each_hook_has_a_reason_and_is_extended():
    assert all(HOOKS.values())
    bare = " ".join(Addon(CHECKOUT, hooks={}).wrong())
    assert not [hook for hook in HOOKS if f"{hook} is written in" not in bare], "No longer hooks"


def test_methods_of_core_are_of_core(addon):
    """No method of ours is exempt by its name: each model has it from core as well."""
    registry = pytest.importorskip("odoo.modules.registry")
    common = pytest.importorskip("odoo.tests.common")
    models = registry.Registry(common.get_db_name())
    ours = [
        f"{model.name}.{method}"
        for model in addon.models
        for method in sorted(model.methods.keys() & CORE_METHODS)
        if not any(
            method in vars(cls) and f".{architecture.ADDON[-1]}." not in cls.__module__
            for cls in models[model.name].__mro__
            if not cls.__module__.startswith("odoo.orm.registry")
        )
    ]
    assert not ours


# --- small addons, each with one thing wrong ---

NOTICE = """
    class DunningNotice(models.Model):
        _name = 'dunning.notice'
        state = fields.Char()
        hold_ids = fields.One2many('dunning.hold', 'notice_id')
        line_ids = fields.One2many(comodel_name='dunning.notice.line', inverse_name='notice_id')

        def _queue(self):
            \"\"\"Update dunning_hold FROM here? No: see dunning.hold.\"\"\"
            return self.state

        def write(self, vals):
            return super().write(vals)
    """
HOLD = """
    from ..notice.dunning_notice import STATES

    class DunningHold(models.Model):
        _name = 'dunning.hold'
        until_when = fields.Date()

        def _place(self):
            self.env['dunning.notice']._queue()
            return SQL('SELECT id FROM dunning_hold')

        def action_close(self):
            return {'res_model': 'dunning.hold.close'}
    """
CLOSE = """
    class DunningHoldClose(models.TransientModel):
        _name = 'dunning.hold.close'

        def action_close(self):
            self.env['dunning.hold']._place()
    """
GOOD = {
    "models/__init__.py": "",
    "models/notice/dunning_notice.py": NOTICE,
    "models/hold/dunning_hold.py": HOLD,
    "wizards/hold/dunning_hold_close.py": CLOSE,
    "views/hold/dunning_hold_views.xml": "",
    "tests/tools/test_law.py": "",
    "tools/law.py": "import decimal\nfrom .amounts import cents",
}


def in_class(code, model="dunning.notice", kind="Model", **settings):
    """Return a class that opens a model of another package, with a line of code in a method."""
    settings = "".join(f"\n        {name} = {value!r}" for name, value in ({"_inherit": model} | settings).items())
    return f"""
    class Opened(models.{kind}):{settings}

        def _of_its_own(self):
            {code}
    """


def complaints(folder, changes, hooks=()):
    for name, text in {**GOOD, **changes}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
    return Addon(folder, hooks).wrong()


def test_a_good_addon(tmp_path):
    assert complaints(tmp_path, {}) == []


LONG = "pass" + "\n            pass" * 150
PART = {"_name": "dunning.notice.approval", "_inherit": []}
COMPOSED = NOTICE.replace("state =", "_inherit = ['dunning.notice.approval', 'mail.thread']\n        state =")
UPWARD = {
    "a private method": ("self._place()", "_place"),
    "a field": ("self.until_when", "until_when"),
    "a field that is set": ("self.until_when = 1", "until_when"),
    "a path to a field": ("self.mapped('hold_ids.until_when')", "until_when"),
    "a field in a domain": ("self.search([('hold_ids.until_when', '>=', day)])", "until_when"),
    "a field among values": ("self.create([{'until_when': 1}])", "until_when"),
    "a model": ("self.env['dunning.hold']", "dunning.hold"),
    "a model of an action": ("return {'res_model': 'dunning.hold'}", "dunning.hold"),
    "an import": ("from ..hold.dunning_hold import DunningHold", "DunningHold"),
}
WRONG = {
    "R1 a flat file": ({"models/dunning_notice.py": ""}, "R1: models/dunning_notice.py: lies flat"),
    **{f"R2 {name}": ({"models/notice/account_move.py": in_class(code, "account.move")},
                      f"R2: models/notice/account_move.py: {what} of hold")
       for name, (code, what) in UPWARD.items()},
    "R2 a model extended": (
        {"models/notice/dunning_hold.py": in_class("pass", "dunning.hold")},
        "R2: models/notice/dunning_hold.py: dunning.hold of hold"),
    "R2 a method that is extended as well": (
        {"models/notice/account_move.py": in_class("self._place()", "account.move"),
         "models/portal/dunning_hold.py": in_class("pass", "dunning.hold").replace("_of_its_own", "_place")},
        "R2: models/notice/account_move.py: _place of hold",
        "R4: models: dunning.hold._place is written in hold, portal"),
    "R2 wizards": (
        {"models/hold/account_move.py": "from ...wizards.hold.dunning_hold_close import X"},
        "R2: models/hold/account_move.py: X of wizards"),
    "R2 Odoo in tools": ({"tools/law.py": "from odoo import fields"}, "R2: tools/law.py: fields of odoo"),
    "R2 a model in tools": (
        {"tools/law.py": "from ..models.notice.dunning_notice import STATES"}, "R2: tools/law.py: STATES of models"),
    "R3 a file of another name": (
        {"models/hold/dunning_notice_hold.py": in_class("pass")},
        "R3: models/hold/dunning_notice_hold.py: dunning.notice does not belong in a file of this name"),
    "R3 a model twice": (
        {"models/hold/dunning_notice.py": in_class("pass") + in_class("pass").replace("_own", "_self")},
        "R3: models/hold/dunning_notice.py: dunning.notice is opened 2 times"),
    "R4 a method twice in a package": (
        {"models/hold/dunning_notice.py": in_class("pass") + in_class("pass")},
        "R3: models/hold/dunning_notice.py: dunning.notice is opened 2 times",
        "R4: models/hold: dunning.notice._of_its_own is written 2 times"),
    "R4 a method of a part": (
        {"models/notice/dunning_notice.py": COMPOSED,
         "models/notice/dunning_notice_approval.py":
            in_class(LONG, "", "AbstractModel", **PART).replace("_of_its_own", "_queue")},
        "R4: models/notice: dunning.notice._queue is written 2 times"),
    "R4 a method of a part in another package": (
        {"models/notice/dunning_notice.py": COMPOSED,
         "models/notice/dunning_notice_approval.py": in_class(LONG, "", "AbstractModel", **PART),
         "models/hold/dunning_notice.py": in_class("pass")},
        "R4: models: dunning.notice._of_its_own is written in notice, hold"),
    "R4 a method of a mixin": (
        {"models/kernel/dunning_recorded.py": in_class("pass", "", "AbstractModel", _name="dunning.recorded"),
         "models/hold/dunning_absence.py":
            in_class("pass", "", _name="dunning.absence", _inherit=["dunning.recorded"])},
        "R4: models: dunning.recorded._of_its_own is written in kernel, hold"),
    "R5 a table of ours": (
        {"models/hold/account_move.py": in_class("return SQL('DELETE FROM dunning_notice')", "account.move")},
        "R5: models/hold/account_move.py: dunning_notice of notice"),
    "R5 the ledger": (
        {"report/dunning_report.py": "QUERY = 'SELECT 1 FROM account_move_line'"},
        "R5: report/dunning_report.py: account_move_line of debtor"),
    "R5 a column": (
        {"controllers/portal.py": "FIELD = SQL('account_move_line.date > %s', DAY)"},
        "R5: controllers/portal.py: account_move_line of debtor"),
    "R5 an identifier": (
        {"models/hold/account_move.py": in_class("SQL.identifier('dunning_notice')", "account.move")},
        "R5: models/hold/account_move.py: dunning_notice of notice"),
    "R6 a wizard": (
        {"models/hold/account_move.py": in_class("self.env['dunning.hold.close'].create({})", "account.move")},
        "R6: models/hold/account_move.py: dunning.hold.close in _of_its_own"),
    "R6 a wizard in a class": (
        {"models/hold/account_move.py": "WIZARD = 'dunning.hold.close'"},
        "R6: models/hold/account_move.py: dunning.hold.close in a class"),
    "R7 a long file": ({"controllers/portal.py": "#\n" * 501}, "R7: controllers/portal.py: is too long"),
    "R8 a part that writes": (
        {"models/notice/dunning_notice.py": COMPOSED,
         "models/notice/dunning_notice_approval.py":
            in_class(LONG, "", "AbstractModel", **PART).replace("_of_its_own", "unlink")},
        "R8: models/notice/dunning_notice_approval.py: dunning.notice.approval has unlink"),
    "R8 a small part": (
        {"models/notice/dunning_notice.py": COMPOSED,
         "models/notice/dunning_notice_approval.py": in_class("pass", "", "AbstractModel", **PART)},
        "R8: models/notice/dunning_notice_approval.py: dunning.notice.approval is too small to stand alone"),
    "R9 an unknown package": ({"views/world/world.xml": ""}, "R9: views/world: is no package"),
    "R9 a flat view": ({"views/world.xml": ""}, "R9: views/world.xml: lies flat"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_addon(tmp_path, name):
    changes, *expected = WRONG[name]
    assert complaints(tmp_path, changes) == expected


def test_hooks_and_methods_of_core_are_free(tmp_path):
    changes = {"models/hold/dunning_notice.py": in_class("pass").replace("_of_its_own", "_queue") + """
        def write(self, vals):
            return super().write(vals)
    """}
    assert complaints(tmp_path, changes, hooks=["dunning.notice._queue"]) == []
    assert complaints(tmp_path, changes) == ["R4: models: dunning.notice._queue is written in notice, hold"]


def test_a_part_with_many_lines_or_users_is_free(tmp_path):
    part = "models/notice/dunning_notice_approval.py"
    composed = {"models/notice/dunning_notice.py": COMPOSED}
    assert complaints(tmp_path, {**composed, part: in_class(LONG, "", "AbstractModel", **PART)}) == []
    users = {
        f"models/notice/dunning_{name}.py": in_class(
            "pass", "", _name=f"dunning.{name}", _inherit=["dunning.notice.approval"]
        ).replace("_of_its_own", f"_of_{name}")
        for name in ("receipt", "audit")
    }
    assert complaints(tmp_path, {**composed, **users, part: in_class("pass", "", "AbstractModel", **PART)}) == []
