"""Paper: one wkhtmltopdf process for many documents, cut apart again."""

import io
import logging
import math
import os
import signal
import subprocess
from contextlib import ExitStack, suppress
from os import unlink
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from lxml import html

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools.pdf import (
    BooleanObject,
    DictionaryObject,
    NameObject,
    PdfFileReader,
    PdfFileWriter,
    PdfReadError,
    createStringObject,
)

from odoo.addons.base.models import ir_actions_report

_logger = logging.getLogger(__name__)
# Millimetres of white around the page.
PAGE_TOP, PAGE_BOTTOM, PAGE_LEFT, PAGE_RIGHT = 12.0, 15.0, 20.0, 20.0
LETTERS_PER_PROCESS = 60
# After how many seconds a wkhtmltopdf that does not end is stopped: some twenty times what it needs.
SECONDS_PER_PROCESS, SECONDS_PER_LETTER, SECONDS_PER_MEGABYTE = 8.0, 0.3, 20.0


class LetterDocument(NamedTuple):
    """One letter on its way to paper."""

    notice_id: int
    html: str
    mark: str  # last word of its only heading: says whose pages these are
    footer_left: str
    footer_right: str
    author: str  # whom the properties of the file name


class LetterTimeout(UserError):
    """wkhtmltopdf did not end in time. Which of several letters is to blame nobody knows."""


class DunningPaper(models.AbstractModel):
    _name = 'dunning.paper'
    _description = "Dunning Letter"

    @api.model
    def _print_batch(self, documents):
        """Print documents with one process, or one by one where that is impossible or does not add up.

        :return: ``{notice_id: pdf bytes}``
        """
        if len(documents) > 1 and ir_actions_report._wkhtml().is_patched_qt:
            try:
                return self._split(self._run_wkhtmltopdf(documents), documents)
            except LetterTimeout:
                raise  # one by one takes too long: whoever asked for many halves them
            except (UserError, PdfReadError, LookupError, ValueError) as error:
                _logger.info("A batch of %s letters is printed one by one: %s", len(documents), error)
        return {
            document.notice_id: self._write_pdf(self._read_pages(self._run_wkhtmltopdf([document])), document)
            for document in documents}

    @api.model
    def _read_pages(self, pdf):
        return PdfFileReader(io.BytesIO(pdf)).pages

    @api.model
    def _write_pdf(self, pages, document):
        """Return a PDF of pages, with title, author and language: for archives, and programs that read aloud.

        It has no tags (PDF/UA): wkhtmltopdf makes none.
        """
        head = html.document_fromstring(document.html)
        writer = PdfFileWriter()
        for page in pages:
            writer.add_page(page)
        writer.add_metadata({'/Title': ' '.join((head.findtext('.//title') or '').split()), '/Author': document.author})
        writer._root_object.update({
            NameObject('/Lang'): createStringObject((head.get('lang') or '').replace('_', '-')),
            NameObject('/ViewerPreferences'): DictionaryObject({NameObject('/DisplayDocTitle'): BooleanObject(True)}),
        })
        stream = io.BytesIO()
        writer.write(stream)
        return stream.getvalue()

    @api.model
    def _run_wkhtmltopdf(self, documents):
        """Return one PDF of documents, each with its own page numbers where Qt is patched."""
        wkhtml = ir_actions_report._wkhtml()
        if wkhtml.state == 'install':
            raise UserError(self.env._(
                "Letters cannot be made: wkhtmltopdf is not installed on the server. "
                "Ask your administrator to install version 0.12.6 with patched Qt."))
        args = self._get_wkhtmltopdf_args(wkhtml)
        with ExitStack() as stack:
            for document in documents:
                args.append(self._make_file(stack, '.html', document.html.encode()))
                if wkhtml.is_patched_qt:
                    args += [
                        '--footer-left', document.footer_left.replace('[', '('),
                        '--footer-right', document.footer_right,
                        '--footer-font-name', 'Liberation Sans', '--footer-font-size', '7', '--footer-spacing', '4',
                    ]
            target = self._make_file(stack, '.pdf', b'')
            size = sum(len(document.html) for document in documents)
            process = self._run_process(
                [wkhtml.bin, *args, target],
                SECONDS_PER_PROCESS + SECONDS_PER_LETTER * len(documents) + SECONDS_PER_MEGABYTE * size / 1e6)
            with open(target, 'rb') as stream:
                pdf = stream.read()
        if process.returncode or not pdf.startswith(b'%PDF'):
            _logger.warning("wkhtmltopdf failed with code %s: %s", process.returncode, (process.stderr or '')[-1000:])
            raise UserError(self.env._(
                "The letter could not be made into a PDF: wkhtmltopdf stopped with code %(code)s. %(error)s",
                code=process.returncode, error=(process.stderr or '')[-300:]))
        return pdf

    @api.model
    def _run_process(self, command, seconds):
        """Run a program to its end, or stop it and whatever it started after so many seconds (``LetterTimeout``).

        Core's own way waits forever: one letter that makes wkhtmltopdf hang would hold up the queue for good.
        """
        with subprocess.Popen(  # noqa: S603 (wkhtmltopdf as core found it)
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8', start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                _logger.warning("wkhtmltopdf was stopped: it did not end in %.0f seconds", seconds)
                raise LetterTimeout(self.env._(
                    "The letter could not be made into a PDF: wkhtmltopdf did not end in %s seconds and was stopped. "
                    "Look at the text of the level and the logo, or show the letter to your administrator.",
                    math.ceil(seconds))) from None
            finally:
                if process.poll() is None:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    @api.model
    def _get_wkhtmltopdf_args(self, wkhtml):
        """Return the options for all letters. Core's would wait a second for scripts there are not."""
        args = [
            '--quiet', '--encoding', 'utf-8', '--page-size', 'A4',
            # Without patched Qt there is no footer to leave room for.
            '--margin-top', str(PAGE_TOP), '--margin-bottom', str(PAGE_BOTTOM if wkhtml.is_patched_qt else PAGE_TOP),
            '--margin-left', str(PAGE_LEFT), '--margin-right', str(PAGE_RIGHT),
            '--disable-javascript', '--disable-local-file-access',
            '--load-error-handling', 'ignore',
        ]
        if wkhtml.is_patched_qt:
            # Millimetres of the style sheet are millimetres on paper: the address has to hit a window. At the dots of
            # a screen, words would be measured narrower than they are printed: amounts cut off, spaces closed up.
            args += ['--disable-smart-shrinking', '--dpi', '300', '--zoom', '1', '--outline', '--outline-depth', '2']
        return args

    @api.model
    def _make_file(self, stack, suffix, content):
        with NamedTemporaryFile(prefix='dunning.letter.', suffix=suffix, delete=False) as file:
            file.write(content)
        stack.callback(unlink, file.name)
        return file.name

    @api.model
    def _split(self, pdf, documents):
        """Return ``{notice_id: pdf bytes}`` of a PDF of several letters, cut at their headings.

        Each heading must carry the mark of the very notice it is given to: a letter
        never ends up with another debtor. Anything else raises ``LookupError``.
        """
        reader = PdfFileReader(io.BytesIO(pdf))
        root = reader.trailer['/Root']
        headings = []
        node = root['/Outlines']['/First']
        while node is not None:
            headings.append((self._get_outline_page(reader, root, node), str(node['/Title'])))
            node = node['/Next'] if '/Next' in node else None  # noqa: SIM401 - get() does not follow references
        pages = len(reader.pages)
        starts = [page for page, _title in headings]
        if (
            len(headings) != len(documents) or starts[0] != 0 or starts != sorted(set(starts))
            or any(title.split()[-1:] != [document.mark]
                   for (_page, title), document in zip(headings, documents, strict=True))
        ):
            raise LookupError(f"{len(headings)} headings for {len(documents)} letters on {pages} pages")
        result = {}
        for document, start, end in zip(documents, starts, [*starts[1:], pages], strict=True):
            result[document.notice_id] = self._write_pdf(
                [reader.pages[number] for number in range(start, end)], document)
        return result

    @api.model
    def _get_outline_page(self, reader, root, node):
        target = node['/Dest'] if '/Dest' in node else node['/A']['/D']
        if isinstance(target, str):
            target = root['/Dests'][target]
        page = target[0]
        return page if isinstance(page, int) else reader.get_page_number(page.get_object())
