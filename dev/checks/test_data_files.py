"""The data files: each in its package, each view whole in one place."""

import ast
from collections import defaultdict

from env import paths
from lxml import etree

MANIFEST = ast.literal_eval((paths.CHECKOUT / "__manifest__.py").read_text())
PACKAGES = {folder.name for folder in (paths.CHECKOUT / "models").iterdir() if folder.is_dir()}
FILES = [name for name in MANIFEST["data"] if name.endswith(".xml")]


def extensions(roots):
    """Return {view that is extended: its extensions in these data files}; views of ours by their bare XML id."""
    found = defaultdict(list)
    for root in roots:
        for view in root.iter("record", "template"):
            if view.tag == "template":
                parent, primary = view.get("inherit_id"), view.get("primary") == "True"
            elif view.get("model") == "ir.ui.view":
                parent = (view.xpath("field[@name='inherit_id']/@ref") or [None])[0]
                primary = view.findtext("field[@name='mode']") == "primary"
            else:
                continue
            if parent and not primary:
                found[parent.removeprefix(f"{paths.MODULE}.")].append(view.get("id"))
    return found


def shipped():
    return extensions(etree.parse(str(paths.CHECKOUT / name)).getroot() for name in FILES)


def test_a_view_of_ours_is_whole():
    extended = {parent: views for parent, views in shipped().items() if "." not in parent}
    assert not extended, "write it in the view itself"


def test_a_view_of_another_addon_is_extended_once():
    assert not {parent: views for parent, views in shipped().items() if "." in parent and len(views) > 1}


def test_files_are_where_they_belong():
    on_disk = {
        str(file.relative_to(paths.CHECKOUT))
        for folder in ("data", "report", "security", "views", "wizards")
        for file in (paths.CHECKOUT / folder).rglob("*.xml")
    }
    assert set(FILES) == on_disk
    assert len(FILES) == len(set(FILES))
    assert not [name for name in FILES if not belongs(name)]


def belongs(name):
    folder, *package, _file = name.split("/")
    return not package if folder in ("report", "security") else len(package) == 1 and package[0] in PACKAGES


def test_what_these_checks_see():
    root = etree.fromstring(
        f"""<odoo>
            <record id="a" model="ir.ui.view"><field name="inherit_id" ref="own" /></record>
            <record id="b" model="ir.ui.view"><field name="inherit_id" ref="{paths.MODULE}.own" /></record>
            <record id="c" model="ir.ui.view">
                <field name="inherit_id" ref="own" /><field name="mode">primary</field>
            </record>
            <record id="d" model="ir.ui.view"><field name="inherit_id" ref="base.view" /></record>
            <template id="e" inherit_id="base.view" /><template id="f" inherit_id="own" primary="True" />
            <template id="g" /><record id="h" model="ir.ui.view" />
        </odoo>"""
    )
    assert extensions([root]) == {"own": ["a", "b"], "base.view": ["d", "e"]}
    assert belongs(f"views/{min(PACKAGES)}/x.xml") and belongs("report/x.xml")
    assert not belongs("views/x.xml") and not belongs("views/nowhere/x.xml")
