import { LightningElement, api } from 'lwc';
import launch from '@salesforce/apex/JumpseatController.launch';

const HOST = '{{ public_url }}/';

/** One page of the host for one record. Its address opens once, so it is asked for whenever the record changes. */
export default class JumpseatFrame extends LightningElement {
    @api view = 'session';
    @api height = 200;
    @api title = 'Remote support';
    url;
    problem;
    waiting = false;
    _recordId;

    @api
    get recordId() {
        return this._recordId;
    }

    set recordId(value) {
        if (value !== this._recordId) {
            this._recordId = value;
            this.load();
        }
    }

    get style() {
        return `height: ${Number(this.height) || 200}px`;
    }

    get hasNoRecord() {
        return !this._recordId;
    }

    async load() {
        const asked = this._recordId;
        this.url = undefined;
        this.problem = undefined;
        if (!asked) {
            return;
        }
        this.waiting = true;
        try {
            const address = await launch({ recordId: asked });
            if (asked === this._recordId && address.startsWith(HOST)) {
                this.url = `${address}#${encodeURIComponent(this.view)}`;
            }
        } catch (error) {
            if (asked === this._recordId) {
                this.problem = error?.body?.message ?? 'The remote-support host does not answer.';
            }
        } finally {
            this.waiting = false;
        }
    }
}
