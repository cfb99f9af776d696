import { Component, onWillStart, reactive, useExternalListener, useState } from "@odoo/owl";

import { Dialog } from "@web/core/dialog/dialog";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

// Pixels: a telephone, and a window of a program for mail.
const WIDTHS = [390, 700];
const MANUAL = ["phone", "task"];
// Who chose a width goes on looking with it.
const chosen = reactive({ width: WIDTHS[1] });

/** An e-mail as it will arrive. */
export class DunningPreviewMail extends Component {
    static template = "l10n_nl_dunning.PreviewMail";
    static props = { seen: Object };

    setup() {
        this.widths = WIDTHS;
        this.state = useState(chosen);
    }
}

/** What leaves, before it leaves: the records at the left, the e-mail or the letter of one of them at the right. */
export class DunningPreviewDialog extends Component {
    static template = "l10n_nl_dunning.PreviewDialog";
    static components = { Dialog, DunningPreviewMail };
    static props = {
        close: Function,
        resModel: String,
        resIds: Array,
        resId: Number,
    };

    setup() {
        this.orm = useService("orm");
        this.notification = useService("notification");
        this.state = useState({
            rows: [],
            resId: this.props.resId,
            seen: null,
            tab: "mail",
            testing: false,
        });
        onWillStart(async () => {
            const rows = this.ask("get_preview_list", this.props.resIds);
            this.show(this.props.resId);
            this.state.rows = await rows;
        });
        useExternalListener(window, "keydown", (event) => this.onKeydown(event), { capture: true });
    }

    ask(method, ids) {
        return this.orm.call(this.props.resModel, method, [ids]);
    }

    get title() {
        return _t("Preview");
    }

    /** Show another record; what was asked before and comes later is not shown. */
    async show(resId) {
        Object.assign(this.state, { resId, seen: null });
        const seen = await this.ask("get_preview", [resId]);
        if (resId === this.state.resId) {
            this.state.seen = seen;
            this.state.tab = seen.body ? "mail" : "letter";
        }
    }

    step(by) {
        const index = this.state.rows.findIndex((row) => row.id === this.state.resId);
        const next = this.state.rows[index + by];
        if (next) {
            this.show(next.id);
            document.getElementById(`dunning_preview_${next.id}`)?.scrollIntoView({
                block: "nearest",
            });
        }
    }

    onKeydown(event) {
        const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
        if (by) {
            event.preventDefault();
            event.stopPropagation();
            this.step(by);
        }
    }

    async sendTest() {
        this.state.testing = true;
        try {
            const text = await this.ask("send_test", [this.state.resId]);
            this.notification.add(text, { type: "success" });
        } finally {
            this.state.testing = false;
        }
    }
}

/** The eye in a row, or the button on a form, that opens the preview: of its record, or of those in one of its fields. */
export class DunningPreviewButton extends Component {
    static template = "l10n_nl_dunning.PreviewButton";
    static props = { ...standardWidgetProps, records: { type: String, optional: true } };

    setup() {
        this.dialog = useService("dialog");
    }

    /** A call or a task has nothing to look at. */
    get isShown() {
        const { record, records } = this.props;
        if (records) {
            return record.data[records].currentIds.length;
        }
        return record.resId && !MANUAL.includes(record.data.channel);
    }

    get isRow() {
        return this.props.record !== this.props.record.model.root;
    }

    async onClick() {
        const { record, records } = this.props;
        if (records) {
            const { currentIds: resIds, resModel } = record.data[records];
            return this.dialog.add(DunningPreviewDialog, { resModel, resIds, resId: resIds[0] });
        }
        const { root } = record.model;
        if (root.save && !(await root.save())) {
            return; // a window in which something was changed and is wrong
        }
        const lists = Object.values(record._parentRecord?.data || {});
        const list = lists.find((value) => value?.records?.includes(record)) || root;
        const shown = this.isRow ? list.records : [record];
        const resIds = shown
            .filter(({ data }) => !MANUAL.includes(data.channel))
            .map(({ resId }) => resId);
        const { resModel, resId } = record;
        this.dialog.add(DunningPreviewDialog, { resModel, resIds, resId });
    }
}

registry.category("view_widgets").add("dunning_preview", {
    component: DunningPreviewButton,
    fieldDependencies: ({ options }) =>
        options.records ? [] : [{ name: "channel", type: "selection" }],
    extractProps: ({ options }) => ({ records: options.records }),
});
