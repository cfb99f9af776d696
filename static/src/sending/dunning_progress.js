import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

// So often at most, in milliseconds: a new text every few seconds can be read.
const PAUSE = 4000;

/** Tells whoever let reminders go how far they are, wherever in Odoo he is meanwhile. */
export const dunningProgressService = {
    dependencies: ["action", "bus_service", "notification", "orm"],
    start(env, { action, bus_service, notification, orm }) {
        const told = new Map();

        async function show(id) {
            told.get(id)?.close();
            await action.doAction(await orm.call("dunning.notice", "action_show_batch", [[id]]));
        }

        bus_service.subscribe("l10n_nl_dunning.progress", (progress) => {
            const { id, done, total, failed, text } = progress;
            const before = told.get(id);
            env.bus.trigger("DUNNING-PROGRESS", progress);
            const ready = done >= total;
            // Several processes tell of what they know: never back.
            if (before && (before.done > done || before.ready)) {
                return;
            }
            if (before && !ready && Date.now() - before.moment < PAUSE) {
                return;
            }
            if (!ready && document.querySelector(".o_dunning_running")) {
                return; // the list of notices shows it, with the button to stop
            }
            before?.close();
            const close = notification.add(text, {
                title: ready ? _t("Reminders sent") : _t("Reminders are being sent"),
                type: failed ? "warning" : ready ? "success" : "info",
                sticky: !ready || failed > 0,
                buttons: [{ name: _t("Show them"), onClick: () => show(id) }],
            });
            told.set(id, { close, done, moment: Date.now(), ready });
        });
    },
};

registry.category("services").add("l10n_nl_dunning.progress", dunningProgressService);
