import { Component, markup, onWillStart, onWillUnmount, useState } from "@odoo/owl";

import { _t, loadLanguages } from "@web/core/l10n/translation";
import { RecordSelector } from "@web/core/record_selectors/record_selector";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { KeepLast } from "@web/core/utils/concurrency";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

import { DunningPreviewMail } from "./dunning_preview";

const TEXTS = ["subject", "letter_intro", "letter_closing", "call_script"];

/** Beside the texts of a level: what a debtor would read of them, as they stand in the form; and what ships. */
export class DunningTextPreview extends Component {
    static template = "l10n_nl_dunning.TextPreview";
    static components = { RecordSelector, DunningPreviewMail };
    static props = { ...standardWidgetProps, script: { type: Boolean, optional: true } };

    setup() {
        this.orm = useService("orm");
        this.notification = useService("notification");
        this.keepLast = new KeepLast();
        this.state = useState({
            partnerId: false,
            lang: user.lang.replace("-", "_"),
            tab: this.props.script ? "script" : "mail",
            seen: null,
            testing: false,
        });
        this.languages = [];
        onWillStart(async () => {
            this.languages = await loadLanguages(this.orm);
        });
        onWillUnmount(() => this.forget());
        useRecordObserver((record) => {
            const texts = Object.fromEntries(
                TEXTS.map((name) => [name, record.data[name]?.toString() || false])
            );
            const key = JSON.stringify([record.resId, record.data.channel, texts]);
            if (key !== this.key) {
                Object.assign(this, { key, texts });
                this.look();
            }
        });
    }

    get tabs() {
        const { script } = this.props;
        return [
            ...(script ? [["script", _t("Script")]] : [["mail", _t("E-mail")], ["letter", _t("Letter")]]),
            ["shipped", _t("Against What Shipped")],
        ];
    }

    get isAsShipped() {
        return this.state.seen.parts.every(([kind]) => kind === "same");
    }

    get isMail() {
        return this.state.tab === "mail";
    }

    get domain() {
        return [["dunning_amount_overdue", ">", 0]];
    }

    ask(method, ...args) {
        const { resModel, resId } = this.props.record;
        return this.orm.call(resModel, method, [[resId], ...args]);
    }

    forget() {
        if (this.state.seen?.letter_url) {
            URL.revokeObjectURL(this.state.seen.letter_url);
        }
    }

    /** Look again; of answers that cross each other the last one counts. */
    async look() {
        if (!this.props.record.resId || this.props.readonly) {
            return;
        }
        const { partnerId, lang, tab } = this.state;
        const answer =
            tab === "shipped"
                ? this.ask("get_shipped_text", this.texts)
                : this.ask("get_text_preview", this.texts, partnerId, lang, tab);
        const seen = await this.keepLast.add(answer);
        if (seen.letter) {
            const bytes = Uint8Array.from(atob(seen.letter), (char) => char.charCodeAt(0));
            seen.letter_url = URL.createObjectURL(new Blob([bytes], { type: "application/pdf" }));
        }
        this.forget();
        Object.assign(this.state, { seen: { ...seen, tab }, partnerId: seen.partner_id || partnerId });
    }

    choose(values) {
        Object.assign(this.state, values);
        this.look();
    }

    /** Take the texts that ship; nothing is saved yet. */
    takeShipped() {
        const { record } = this.props;
        return record.update(
            Object.fromEntries(
                Object.entries(this.state.seen.texts).map(([name, text]) => [
                    name,
                    record.fields[name].type === "html" ? markup(text) : text,
                ])
            )
        );
    }

    async sendTest() {
        this.state.testing = true;
        try {
            const { partnerId, lang } = this.state;
            const text = await this.ask("send_text_test", this.texts, partnerId, lang);
            this.notification.add(text, { type: "success" });
        } finally {
            this.state.testing = false;
        }
    }
}

registry.category("view_widgets").add("dunning_text_preview", {
    component: DunningTextPreview,
    extractProps: ({ options }) => ({ script: Boolean(options.script) }),
});
