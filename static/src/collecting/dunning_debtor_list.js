import { KanbanController } from "@web/views/kanban/kanban_controller";
import { ListController } from "@web/views/list/list_controller";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { listView } from "@web/views/list/list_view";
import { registry } from "@web/core/registry";

/**
 * A row opens the screen for the call. The order of the list goes along, so that “next debtor” stays what the
 * collector saw, whatever happens to the priorities meanwhile.
 */
function openDebtor(controller, record) {
    const records = controller.model.root.records;
    return controller.env.services.action.doActionButton({
        type: "object",
        name: "action_open",
        resModel: record.resModel,
        resId: record.resId,
        resIds: [record.resId],
        context: {
            ...record.context,
            dunning_debtor_ids: records.map((listed) => listed.resId),
        },
    });
}

class DebtorListController extends ListController {
    async openRecord(record) {
        return openDebtor(this, record);
    }
}

class DebtorKanbanController extends KanbanController {
    async openRecord(record) {
        return openDebtor(this, record);
    }
}

registry
    .category("views")
    .add("dunning_debtor_list", { ...listView, Controller: DebtorListController });
registry
    .category("views")
    .add("dunning_debtor_kanban", { ...kanbanView, Controller: DebtorKanbanController });
