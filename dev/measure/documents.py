"""What 1,000 letters take end to end, next to bare wkhtmltopdf on the very same pages."""

import resource
import time

from odoo.tools import SQL

from . import meter

LETTERS = 1000
ALONE = 20  # letters printed one by one, as core prints reports


def measure(env, letters=LETTERS):
    company = env.company
    today = company._dunning_today()
    notices = env["dunning.notice"].search(
        [("state", "=", "queued"), ("channel", "=", "email")], limit=letters, order="company_id, id"
    )
    # Both: what leaves is decided again when it leaves.
    notices.level_id.channel = "letter"
    env.flush_all()
    env.execute_query(
        SQL("UPDATE dunning_notice SET channel = 'letter' WHERE id = ANY(%s) RETURNING 1", list(notices.ids))
    )
    env.cr.commit()
    env.invalidate_all()
    chunk = meter.get_chunk_size()
    batches = [notices[start : start + chunk] for start in range(0, len(notices), chunk)]
    # Templates and styles are compiled once in the life of a worker.
    env["dunning.letter"]._render_pdfs(_prepare(env, notices[:2], today))
    env.cr.rollback()

    def dispatch():
        for batch in batches:
            env["dunning.dispatcher"]._dispatch(batch)
            env.cr.commit()
            env.invalidate_all()
        with meter.outside_the_clock(env):
            ready = notices.filtered(lambda notice: notice.state == "to_post")
            return {
                "notices": env["ir.attachment"].search_count(
                    [
                        ("res_model", "=", ready._name),
                        ("res_field", "=", "letter_file"),
                        ("res_id", "in", ready.ids),
                    ]
                )
            }

    answer = meter.measure(env, dispatch)
    return {**answer, "bare": _print_bare(env, batches), "alone": _print_alone(env, notices[:ALONE])}


def _prepare(env, notices, today):
    env["dunning.dispatcher"]._prepare_letters(notices, today)
    return notices


def _print_bare(env, batches):
    """Run wkhtmltopdf on the pages of these notices, and nothing else; return seconds and seconds of processor."""
    Letter = env["dunning.letter"]
    seconds, processor = 0.0, 0.0
    for batch in batches:
        documents = Letter._prepare_documents(batch)
        env.invalidate_all()
        started, before = time.perf_counter(), _get_children()
        Letter._run_wkhtmltopdf(documents)
        seconds += time.perf_counter() - started
        processor += _get_children() - before
    return {"seconds": seconds, "processor": processor, "notices": sum(map(len, batches))}


def _print_alone(env, notices):
    Letter = env["dunning.letter"]
    documents = Letter._prepare_documents(notices)
    started, before = time.perf_counter(), _get_children()
    for document in documents:
        Letter._run_wkhtmltopdf([document])
    return {
        "seconds": time.perf_counter() - started,
        "processor": _get_children() - before,
        "notices": len(notices),
    }


def _get_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
