"""What changed between proposal, approval and sending: snapshots of a notice, and how they differ."""

from odoo import api, fields, models
from odoo.tools import SQL, format_amount

from ..kernel.formats import format_day

SNAPSHOT_AMOUNTS = (
    'amount_residual', 'amount_netted', 'amount_held', 'amount_interest', 'amount_costs', 'amount_announced',
    'amount_principal', 'amount_due')


class DunningNoticeChanges(models.AbstractModel):
    """The part of a notice that keeps and compares what it said."""

    _name = 'dunning.notice.changes'
    _description = "Dunning Notice"

    has_changes = fields.Boolean(compute='_compute_changes')
    changes_html = fields.Html(string="What Changed", compute='_compute_changes', sanitize=False)

    @api.depends('state', 'proposed_data', 'approved_data', 'left_data', 'line_ids.drop_reason', 'amount_due', 'lang',
                 'channel', 'recipient_id')
    def _compute_changes(self):
        saved = self._origin.filtered('proposed_data')
        current = saved.filtered(lambda notice: not notice.left_data)._read_snapshots() if saved else {}
        for notice in self:
            origin = notice._origin
            values = origin in saved and origin._prepare_changes(current.get(origin.id) or origin.left_data)
            notice.has_changes = bool(values and (values['rows'] or values['items']))
            notice.changes_html = values and self.env['ir.qweb']._render(
                'l10n_nl_dunning.proposal_changes', values, minimal_qcontext=True)

    def _describe_edit(self, recipient, channel, lang):
        """Return sentences about a change on the form; the channel is logged by itself."""
        self.ensure_one()
        texts = []
        if recipient != self.recipient_id:
            texts.append(self.env._(
                "Addressed to %(after)s instead of %(before)s.",
                before=recipient.display_name, after=self.recipient_id.display_name))
        if lang != self.lang:
            texts.append(self.env._(
                "In %(after)s instead of %(before)s.", before=self._name_lang(lang), after=self._name_lang(self.lang)))
        return texts

    # -------------------------------------------------------------------------
    # SNAPSHOTS
    # -------------------------------------------------------------------------

    @api.model
    def _get_snapshot_sql(self):
        """Return SQL of what a notice (with ``recipient`` and ``debtor``) says, as jsonb."""
        amounts = SQL(", ").join(
            SQL("%s::text, %s", name, SQL.identifier('notice', name)) for name in SNAPSHOT_AMOUNTS)
        return SQL(
            """
            jsonb_build_object(
                'on', (NOW() AT TIME ZONE 'UTC')::text,
                'level', notice.level_id,
                'channel', notice.channel,
                'recipient', notice.recipient_id,
                'recipient_name', recipient.complete_name,
                'email', COALESCE(NULLIF(recipient.email_normalized, ''), debtor.email_normalized),
                'address', CASE WHEN recipient.street <> '' AND recipient.city <> ''
                    THEN CONCAT_WS(', ', recipient.street, NULLIF(recipient.zip, ''), recipient.city)
                    ELSE CONCAT_WS(', ', NULLIF(debtor.street, ''), NULLIF(debtor.zip, ''), NULLIF(debtor.city, ''))
                END,
                'lang', notice.lang,
                'count', notice.line_count,
                'text', %s,
                'items', COALESCE(%s, '{}'::jsonb),
                %s)
            """,
            self.env['dunning.level']._get_text_hash_sql(SQL("notice.level_id"), SQL("notice.lang")),
            self.env['dunning.notice.line']._get_asked_json_sql(SQL("notice.id")),
            amounts)

    def _read_snapshots(self):
        """Return ``{notice_id: snapshot}`` of what the notices say now; one query."""
        if not self.ids:
            return {}
        self.env.flush_all()
        return dict(self.env.execute_query(self._get_snapshots_sql()))

    def _get_snapshots_sql(self):
        """Return the query of what the notices say now: their ids and their snapshots."""
        return SQL(
            """
            SELECT notice.id, %s AS snapshot
              FROM %s notice
              JOIN res_partner recipient ON recipient.id = notice.recipient_id
              JOIN res_partner debtor ON debtor.id = notice.partner_id
             WHERE notice.id = ANY(%s)
            """, self._get_snapshot_sql(), SQL.identifier(self._table), self.ids)

    def _take_snapshots(self, name):
        """Keep what the notices say now; one statement however many there are.

        :param name: the field; what was proposed is kept once, the others are renewed
        """
        if not self.ids:
            return
        self.env.flush_all()
        self.env.execute_query(SQL(
            """
            UPDATE %(table)s kept
               SET %(column)s = taken.snapshot
              FROM (%(snapshots)s) taken
             WHERE kept.id = taken.id AND (%(again)s OR kept.%(column)s IS NULL)
         RETURNING kept.id
            """,
            table=SQL.identifier(self._table), column=SQL.identifier(name), snapshots=self._get_snapshots_sql(),
            again=name != 'proposed_data'))
        self.invalidate_recordset([name, 'has_changes', 'changes_html', 'needs_colleague', 'may_approve'])

    # -------------------------------------------------------------------------
    # COMPARING
    # -------------------------------------------------------------------------

    def _prepare_changes(self, last):
        """Return what the panel shows: how the notice was proposed, approved and left, where these differ.

        :param dict last: the snapshot of when it left, or of now
        """
        self.ensure_one()
        env = self.env
        columns = [(env._("Proposed"), self.proposed_data)]
        if self.approved_data:
            columns.append((env._("Approved"), self.approved_data))
        columns.append((env._("When it left") if self.left_data else env._("Now"), last))
        snapshots = [snapshot for _name, snapshot in columns]
        rows = [
            {'label': label, 'values': values, 'strong': key == 'amount_due'}
            for key, label, show in self._get_change_rows()
            for values in [[show(snapshot.get(key)) for snapshot in snapshots]]
            if len({str(snapshot.get(key)) for snapshot in snapshots}) > 1
        ]
        texts = [snapshot.get('text') for snapshot in snapshots]
        if len(set(texts)) > 1 and len({(s.get('level'), s.get('lang')) for s in snapshots}) == 1:
            rows.append({'label': env._("Text of the level"), 'strong': False, 'values': [
                '' if index == 0 else env._("edited") if text != texts[index - 1] else env._("the same")
                for index, text in enumerate(texts)]})
        return {
            'columns': [
                {'name': name, 'when': self._fmt_moment(snapshot.get('on')),
                 'who': self.approver_id.name if name == env._("Approved") else False}
                for name, snapshot in columns],
            'rows': rows,
            'items': self._get_item_changes(snapshots),
            'state': self.state,
        }

    def _get_change_rows(self):
        """Return (key of a snapshot, label, function that shows the value)."""
        env = self.env
        channels = dict(self._fields['channel']._description_selection(env))

        def money(amount):
            return format_amount(env, amount or 0.0, self.currency_id)

        def level(level_id):
            return env['dunning.level'].browse(level_id or []).exists().name or ''

        return [
            ('level', env._("Level"), level),
            ('channel', env._("By"), lambda code: channels.get(code, '')),
            ('recipient_name', env._("Addressed to"), lambda name: name or ''),
            ('email', env._("E-mail address"), lambda address: address or '–'),
            ('address', env._("Postal address"), lambda address: address or '–'),
            ('lang', env._("Language"), self._name_lang),
            ('count', env._("Items"), lambda count: str(count or 0)),
            *((name, self._fields[name]._description_string(env), money)
              for name in SNAPSHOT_AMOUNTS if name != 'amount_principal'),
        ]

    def _get_item_changes(self, snapshots):
        """Return what happened to single items from the first snapshot to the last: ``name`` and ``text``.

        Also of those that came and went in between.
        """
        env, changes = self.env, []
        first, last = snapshots[0].get('items') or {}, snapshots[-1].get('items') or {}
        # As it was seen last before it went; gone before anybody looked, as its line says.
        seen = {}
        for line in self.line_ids.filtered('drop_reason') | self.split_ids.line_ids:
            if line.move_line_id:
                seen[str(line.move_line_id.id)] = (
                    line.amount_residual - line.amount_netted - line.amount_held, line.move_id.name)
        for snapshot in snapshots:
            seen.update({key: (amount, name) for key, (amount, name, *_rest) in (snapshot.get('items') or {}).items()})
        dropped = {str(line.move_line_id.id): line.drop_text for line in self.line_ids if line.drop_reason}
        elsewhere = {
            str(line.move_line_id.id): notice
            for notice in self.split_ids | self.merged_into_id for line in notice.line_ids}

        def money(amount):
            return format_amount(env, amount or 0.0, self.currency_id)

        for key, (amount, name) in sorted(seen.items(), key=lambda entry: (entry[0] not in first, int(entry[0]))):
            text = False
            if key in last:
                if key not in first:
                    text = env._("Added: %s", money(last[key][0]))
                elif self.currency_id.compare_amounts(first[key][0] or 0.0, last[key][0] or 0.0):
                    text = env._(
                        "%(before)s became %(after)s", before=money(first[key][0]), after=money(last[key][0]))
            elif key in dropped:
                text = env._("%(amount)s off. %(why)s", amount=money(amount), why=dropped[key] or '')
            elif key in elsewhere:
                text = env._(
                    "%(amount)s moved to %(notice)s", amount=money(amount), notice=elsewhere[key].display_name)
            else:
                text = env._("%s off", money(amount))
            if text:
                changes.append({'name': name, 'text': text})
        return changes

    def _name_lang(self, code):
        name = dict(self.env['res.lang'].get_installed()).get(code, code or '')
        return name.split(" / ")[-1].split(" (")[0]

    def _fmt_moment(self, text):
        """Show a moment (UTC) as the day it was where the user is."""
        moment = text and fields.Datetime.to_datetime(text.split('.')[0])
        # A scheduled action or another program has no time zone in its context; a user has one of his own.
        tz = self.env.context.get('tz') or self.env.user.tz or str(self.company_id._get_dunning_tz())
        return moment and format_day(
            self.env, fields.Datetime.context_timestamp(self.with_context(tz=tz), moment).date())
