"""How PostgreSQL plans: the statements of the planner, and which of our indexes were ever used."""

import re
import time
from unittest.mock import patch

from odoo.sql_db import Cursor
from odoo.tools import SQL

#: Statements that take less than this (ms) are not worth a page; nor are nodes with a smaller share of the time.
WORTH, SHARE = 1.0, 0.01
WIDTH = 140


def measure(env):
    """Explain each statement with which the company is planned, and one with which a single debtor is."""
    company = env.company
    today = company._dunning_today()
    Planner = env["dunning.planner"]
    Planner._plan(company, today, only_due=True)  # the caches of a worker are warm
    item = env["account.move.line"].search(
        [
            *env["account.move.line"]._get_dunning_open_domain(),
            ("company_id", "=", company.id),
            ("date_maturity", "<", today),
        ],
        limit=1,
    )
    found = []
    for title, plan in (
        ("A whole company: what is due", lambda: Planner._plan(company, today, only_due=True)),
        ("One item", lambda: Planner._plan(company, today, items=item)),
    ):
        env.invalidate_all()
        for statement in _listen(env, plan):
            explained = _explain(env, statement)
            if explained["execution"] >= WORTH:
                found.append({"title": title, **explained})
    return {"statements": found}


def _listen(env, method):
    """Return the statements that a method asks, in order."""
    heard, execute = [], Cursor.execute

    def listen(cursor, query, params=None, log_exceptions=True):
        if isinstance(query, SQL):
            code, values = query.code, query.params
        else:
            code, values = query, params
        text = cursor._obj.mogrify(code, values or None).decode()
        if re.match(r"\s*(SELECT|WITH)\b", text, re.IGNORECASE):
            heard.append(text)
        return execute(cursor, query, params, log_exceptions)

    with patch.object(Cursor, "execute", listen):
        method()
    return heard


def _explain(env, statement):
    # Straight to the driver: the text is complete, and its percent signs are not places for values.
    env.cr._obj.execute("EXPLAIN (ANALYZE, BUFFERS, SUMMARY, FORMAT JSON) " + statement)
    answer = env.cr._obj.fetchone()[0][0]
    top, total = answer["Plan"], answer["Execution Time"]
    return {
        "plan": "\n".join(_tell(top, total, 0)),
        "rows": int(top["Actual Rows"]),
        "planning": answer["Planning Time"],
        "execution": total,
        "buffers": top["Shared Hit Blocks"] + top["Shared Read Blocks"],
        "spilled": top["Temp Written Blocks"],
        "indexes": _count_indexes(top),
    }


def _walk(node):
    yield node
    for child in node.get("Plans", ()):
        yield from _walk(child)


def _count_indexes(top):
    """Return what each index was good for in this plan: how often it was asked, for how many rows and blocks."""
    found = {}
    for node in _walk(top):
        name = node.get("Index Name")
        if name and node["Actual Loops"]:
            row = found.setdefault(name, {"index": name, "asked": 0, "rows": 0, "blocks": 0, "ms": 0.0})
            row["asked"] += int(node["Actual Loops"])
            row["rows"] += round(node["Actual Rows"] * node["Actual Loops"])
            row["blocks"] += node["Shared Hit Blocks"] + node["Shared Read Blocks"]
            row["ms"] += node["Actual Total Time"] * node["Actual Loops"]
    return sorted(found.values(), key=lambda row: -row["ms"])


def _tell(node, total, depth):
    """Yield a line per node, as EXPLAIN does, without what takes hardly any of the time."""
    spent = node["Actual Total Time"] * node["Actual Loops"]
    if depth and spent < SHARE * total:
        return
    words = [node.get("Join Type", "") if node.get("Join Type") != "Inner" else "", node["Node Type"]]
    words += [f"using {node['Index Name']}"] if "Index Name" in node else []
    words += [f"on {node['Relation Name']}"] if "Relation Name" in node else []
    words += [f"on {node['CTE Name']}"] if "CTE Name" in node else []
    words += (
        [f"{node['Alias']}"] if node.get("Alias") not in (None, node.get("Relation Name"), node.get("CTE Name")) else []
    )
    facts = [f"{spent:.1f} ms", f"rows {round(node['Actual Rows'] * node['Actual Loops']):,}"]
    facts += [f"loops {int(node['Actual Loops']):,}"] if node["Actual Loops"] > 1 else []
    facts.append(f"blocks {node['Shared Hit Blocks'] + node['Shared Read Blocks']:,}")
    facts += [f"spilled {node['Temp Written Blocks']:,}"] if node.get("Temp Written Blocks") else []
    facts += [f"{node['Sort Method']} {node['Sort Space Used']:,} kB"] if "Sort Space Used" in node else []
    indent = "  " * depth
    if "Subplan Name" in node:
        yield f"{indent}({node['Subplan Name']})"
    yield f"{indent}{' '.join(word for word in words if word)}  [{'; '.join(facts)}]"
    for name in ("Index Cond", "Hash Cond", "Merge Cond", "Filter", "Sort Key"):
        if name in node:
            said = node[name] if isinstance(node[name], str) else ", ".join(node[name])
            yield _shorten(f"{indent}    {name}: {said}")
    for child in node.get("Plans", ()):
        yield from _tell(child, total, depth + 1)


def _shorten(line):
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


def list_indexes(env):
    """Return the indexes of our tables and those we add to others', with how often they were used, and what room
    our tables take."""
    env.cr.commit()
    time.sleep(1)  # the server counts a moment later
    rows = env.execute_query(
        SQL(
            """
            SELECT stat.relname, stat.indexrelname, pg_class.reltuples::bigint, pg_relation_size(stat.indexrelid),
                   stat.idx_scan
              FROM pg_stat_user_indexes stat
              JOIN pg_class ON pg_class.oid = stat.relid
             WHERE stat.relname LIKE 'dunning%%' OR stat.indexrelname LIKE '%%dunning%%'
                OR stat.indexrelname = 'account_move_one_booking_per_notice'
          ORDER BY stat.relname, stat.indexrelname
            """
        )
    )
    sizes = env.execute_query(
        SQL(
            """
            SELECT relname, n_live_tup, pg_table_size(relid), pg_indexes_size(relid)
              FROM pg_stat_user_tables
             WHERE relname LIKE 'dunning%%' OR relname IN ('mail_mail', 'mail_message', 'ir_attachment')
          ORDER BY relname
            """
        )
    )
    return {
        "indexes": [dict(zip(("table", "index", "rows", "size", "scans"), row, strict=True)) for row in rows],
        "tables": [dict(zip(("table", "rows", "heap", "index"), row, strict=True)) for row in sizes],
    }
