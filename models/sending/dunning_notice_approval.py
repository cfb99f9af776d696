"""Who may approve a notice, whether that counts for the notice as it is now, and what changed until it left."""

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_amount

from ..kernel.formats import format_day

SNAPSHOT_AMOUNTS = (
    'amount_residual', 'amount_netted', 'amount_held', 'amount_interest', 'amount_costs', 'amount_announced',
    'amount_principal', 'amount_due')


class DunningNoticeApproval(models.AbstractModel):
    """The part of a notice about its approval: who gave it, and what it said at that moment and at others."""

    _name = 'dunning.notice.approval'
    _description = "Dunning Notice"

    needs_colleague = fields.Boolean(
        string="Needs a Colleague", compute='_compute_approval',
        help="The policy asks a second pair of eyes: whoever made or changed it cannot approve it.")
    may_approve = fields.Boolean(compute='_compute_approval')
    approval_text = fields.Char(string="Approval", compute='_compute_approval')
    hidden_text = fields.Char(
        string="Also Owed", compute='_compute_hidden_text',
        help="What the notice asks for companies of the same creditor that you do not work for.")
    has_changes = fields.Boolean(compute='_compute_changes')
    changes_html = fields.Html(string="What Changed", compute='_compute_changes', sanitize=False)

    @api.depends('state', 'maker_ids', 'approver_id', 'policy_id', 'amount_due_company', 'colleague_kept')
    @api.depends_context('uid')
    def _compute_approval(self):
        for notice in self:
            waits = notice.state in ('draft', 'error')
            notice.needs_colleague = waits and notice._needs_colleague() and not notice._is_approved()
            notice.may_approve = waits and not notice._get_refused()
            notice.approval_text = notice._get_approval_text() if notice.needs_colleague else False

    def _get_approval_text(self):
        """Return who has to approve and why, for whoever looks at it."""
        self.ensure_one()
        if self.env.user in self.maker_ids:
            return self.env._(
                "You made or changed this proposal, so a colleague has to approve it: the policy “%s” asks a second "
                "pair of eyes.", self.policy_id.name)
        if self.maker_ids:
            return self.env._(
                "Made or changed by %(makers)s. The policy “%(policy)s” asks a second pair of eyes, and yours will do.",
                makers=", ".join(self.maker_ids.mapped('name')), policy=self.policy_id.name)
        return False

    def _needs_colleague(self):
        """Return whether the policy asks a second pair of eyes for this notice as it is now."""
        self.ensure_one()
        return self._asks_colleague(
            # sudo: only for the rate of the currency; it may be in the name of a head office that the user does not see
            self.policy_id, self.company_id.sudo(), self.amount_due_company, self.company_currency_id,
            kept=self.colleague_kept)

    @api.model
    def _asks_colleague(self, policy, company, amount, currency, *, kept=False):
        """Return whether a policy asks a second pair of eyes for what asks an amount of a debtor.

        :param kept: it did so before, and a smaller amount does not end that
        """
        if policy.four_eyes != 'above' or kept:
            return policy.four_eyes != 'never'
        limit = policy.currency_id._convert(policy.four_eyes_amount, currency, company, company._dunning_today())
        return currency.compare_amounts(amount, limit) > 0

    def _is_approved(self):
        """Return whether somebody who did not make it approved it as it is now."""
        return not self._get_approval_gap()

    def _get_approval_gap(self):
        """Return why no approval counts: ``nobody`` gave it, ``more`` is asked, the ``address`` is another; False."""
        self.ensure_one()
        seen = self.approved_data or {}
        approver = self.approver_id
        if not approver or approver in self.maker_ids or approver._is_superuser() or 'amount_principal' not in seen:
            return 'nobody'
        # Interest runs on and payments come in; more principal is something nobody approved.
        if self.currency_id.compare_amounts(self.amount_principal, seen['amount_principal'] or 0.0) > 0:
            return 'more'
        # Many can change the address on a contact, and with it who reads the letter.
        by_mail = self.channel in ('email', 'both') and self._get_email_line() != (seen.get('email') or '')
        by_post = self.channel in ('letter', 'both') and self._get_address_line() != (seen.get('address') or '')
        return 'address' if by_mail or by_post else False

    def _get_email_line(self):
        """Return the address as in the snapshots; see :meth:`_get_snapshot_sql`."""
        return self.recipient_id.email_normalized or self.partner_id.email_normalized or ''

    def _get_address_line(self):
        """Return the postal address as in the snapshots."""
        recipient = self.recipient_id
        person = recipient if recipient.street and recipient.city else self.partner_id
        return ", ".join(filter(None, (person.street, person.zip, person.city)))

    def _get_refused(self):
        """Return the notices that the current user cannot approve: he made or changed them, sees a part of them only,
        or is no person.
        """
        return self.filtered(lambda notice: (
            notice._needs_colleague() and not notice._is_approved()
            and (self.env.user in notice.maker_ids or self.env.user._is_superuser()))) | self._get_hidden()

    def _explain_refused(self):
        """Return why the current user cannot approve these notices, and what to do."""
        if self.env.user._is_superuser():
            return self.env._(
                "%(notices)s: the policy “%(policy)s” asks that a person approves this.",
                notices=self._get_first_names(), policy=self[:1].policy_id.name)
        hidden, sentences = self._get_hidden(), []
        if hidden:
            sentences.append(self.env._(
                "%(notices)s: it also asks what is owed to a company of the same creditor that you did not choose at "
                "the top of the screen. Choose all of them; if you do not work for one, a colleague who does decides "
                "about it.", notices=hidden._get_first_names()))
        own = self - hidden
        if own:
            sentences.append(self.env._(
                "%(notices)s: you made or changed this yourself, and the policy “%(policy)s” asks a second pair of "
                "eyes. Ask a colleague to approve it. Or cancel it: the same items are then proposed again as planned.",
                notices=own._get_first_names(), policy=own[:1].policy_id.name))
        return " ".join(sentences)

    def _check_may_decide(self):
        """Raise when the user may not decide about notices of which the user sees all; the others are refused one by
        one, with a sentence (:meth:`_explain_refused`).

        :raise AccessError: of core
        """
        if not self.has_access('write'):
            (self - self._get_hidden()).check_access('write')

    @api.depends('approver_id')
    def _compute_approved(self):
        for notice in self:
            notice.approved = bool(notice.approver_id)

    def _queue(self):
        """Put notices into the queue: the current user decided about them.

        The one way into the queue for a notice that exists. Only a person approves. What a person who did not make it
        approved, as it is now, stays decided by that person, whoever queues it again.

        :raises UserError: a colleague has to approve some of them
        """
        refused = self._get_refused()
        if refused:
            raise UserError(refused._explain_refused())
        by_person = not self.env.user._is_superuser()
        decided = self.filtered(lambda notice: notice._is_approved() if by_person else notice.approver_id)
        fresh = self - decided
        vals = {'state': 'queued', 'error_message': False, 'asked_on': False}
        if decided:
            decided._recording().write(vals)
        if fresh:
            vals.update(self._prepare_decision_vals(by_person))
            fresh._recording().write(vals)
        if by_person:
            fresh._take_snapshots('approved_data')
        self._log_act(lambda notice: notice.env._("Approved to be sent.") if notice.approver_id
                      else notice.env._("Put into the queue by the program; no person approved it."))

    @api.model
    def _prepare_decision_vals(self, by_person):
        """Return who decided about notices; the four fields are written together so that they agree."""
        return {
            'author_id': self.env.uid,
            'approver_id': by_person and self.env.uid,
            'approved_on': by_person and fields.Datetime.now(),
            'approved_data': False,
        }

    def _queue_allowed(self):
        """Queue what the current user may approve. Return what stays a proposal for a colleague."""
        refused = self._get_refused()
        (self - refused)._queue()
        return refused

    @api.model
    def _get_unapproved_vals(self):
        """Return what is written on notices that become proposals again: whoever does that decided last."""
        return {
            **self._prepare_decision_vals(by_person=False), 'state': 'draft',
            'waiting_reason': False, 'error_message': False}

    def _add_maker(self):
        """Remember that the current user had a hand in these notices."""
        if not self.env.user._is_superuser():
            self._recording().write({'maker_ids': [Command.link(self.env.uid)]})

    def _record_change(self, text, needing):
        """Write down that the current user changed a notice that did not leave; an approval ends.

        :param needing: whether it needed a colleague before the change
        """
        self.ensure_one()
        needs = needing or self._needs_colleague()
        vals = {'colleague_kept': needs, 'change_count': self.change_count + 1}
        if needs and self.state in ('queued', 'error'):
            vals.update(self._get_unapproved_vals())
            text = f'{text} {self.env._("It was changed, so it needs a new approval.")}'
        self._recording().write(vals)
        self._add_maker()
        if text:
            self._recording()._message_log(body=text)

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
            *((name, self._fields[name]._description_string(env), self._fmt_money)
              for name in SNAPSHOT_AMOUNTS if name != 'amount_principal'),
        ]

    def _get_item_changes(self, snapshots):
        """Return what happened to single items from the first snapshot to the last: ``name`` and ``text``.

        Also of those that came and went in between.
        """
        env, money, changes = self.env, self._fmt_money, []
        first, last = snapshots[0].get('items') or {}, snapshots[-1].get('items') or {}
        # As it was seen last before it went; gone before anybody looked, as its line says.
        seen = {}
        for line in self.line_ids.filtered('drop_reason') | self.split_ids.line_ids:
            if line.move_line_id:
                seen[str(line.move_line_id.id)] = (line._get_asked(), line.move_id.name)
        for snapshot in snapshots:
            seen.update({key: (amount, name) for key, (amount, name, *_rest) in (snapshot.get('items') or {}).items()})
        dropped = {str(line.move_line_id.id): line.drop_text for line in self.line_ids if line.drop_reason}
        elsewhere = {
            str(line.move_line_id.id): notice
            for notice in self.split_ids | self.merged_into_id for line in notice.line_ids}

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

    def _fmt_money(self, amount):
        return format_amount(self.env, amount or 0.0, self.currency_id)

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

    # -------------------------------------------------------------------------
    # ACTIONS OF USERS
    # -------------------------------------------------------------------------

    def action_review(self):
        """Open the summary of what would be approved."""
        self._check_may_decide()
        return self.env['dunning.proposal.approve']._action_open(self)

    def action_take_back(self):
        """Make proposals of notices that wait in the queue, to look at them again; their approval ends."""
        self.check_access('write')
        queued = self.filtered(lambda notice: notice.state == 'queued')._lock_proposals(('queued',))
        queued._recording().write(self._get_unapproved_vals())
        return True

    # -------------------------------------------------------------------------
    # WHO SEES ALL OF IT
    # -------------------------------------------------------------------------

    # One letter can ask what is owed to several companies of a creditor. Whoever works for one of them reads the notice
    # with the items of that one; the letter, the e-mail and the decision are for who sees all of it.

    @api.depends('line_ids.drop_reason')
    @api.depends_context('uid', 'allowed_company_ids', 'lang')
    def _compute_hidden_text(self):
        hidden = self._get_hidden_sums()
        for notice in self:
            notice.hidden_text = notice._origin.id in hidden and self.env._(
                "Also owed to the same creditor, at companies that you do not work for: %s.",
                format_amount(self.env, hidden[notice._origin.id], notice.currency_id))

    def _get_hidden_sums(self):
        """Return ``{notice id: sum}`` of what is asked for companies that the user does not work for."""
        if self.env.su or not self.env['res.company']._get_dunning_branches():
            return {}
        return {
            notice.id: residual - netted - held
            # sudo: a sum, of which the user reads a part
            for notice, residual, netted, held in self.env['dunning.notice.line'].sudo()._read_group(
                [('notice_id', 'in', self.ids), ('company_id', 'not in', self.env.companies.ids),
                 ('drop_reason', '=', False)],
                ['notice_id'], ['amount_residual:sum', 'amount_netted:sum', 'amount_held:sum'])}

    def _sees_whole(self):
        # OVERRIDE: it can be about what is owed to several companies of one creditor.
        return not self._origin._get_hidden_sums()

    def _check_sees_whole(self):
        """Raise when one of the letters also says what is owed to a company that the user does not work for."""
        hidden = self._get_hidden()
        if hidden:
            raise AccessError(self.env._(
                "%s is also about a company of the same creditor that you do not work for. A colleague who works for "
                "all of these companies can show you the letter.", hidden[:1].display_name))

    def _get_hidden(self):
        """Return those of the notices of which the user sees a part only."""
        return self.browse(self._get_hidden_sums())

    def _mail_get_operation_for_mail_message_operation(self, message_operation):
        # EXTENDS 'mail': what was mailed says what is owed to all companies it is about.
        operations = super()._mail_get_operation_for_mail_message_operation(message_operation)
        shared = self.sudo().filtered('shared_company_ids')  # sudo: rules ask for it
        return operations | dict.fromkeys(self.browse(shared.ids), 'write')
