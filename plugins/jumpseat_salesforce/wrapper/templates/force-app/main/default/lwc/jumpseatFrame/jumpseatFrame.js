import { LightningElement, api } from 'lwc';
import launch from '@salesforce/apex/JumpseatController.launch';
import launchBeside from '@salesforce/apex/JumpseatController.launchBeside';

const HOST = '{{ public_url }}/';
const ORIGIN = '{{ origin }}';
const COMPONENTS = {
    session: 'session',
    history: 'history',
    connections: 'connections',
    'connections-mobile': 'connections&form=mobile',
    notification: 'notification',
    devices: 'devices',
    company: 'company'
};
const TALLEST = 4000;

/** One page of the host for one record, or beside all records. Its address opens once, so it is asked for whenever the record changes. */
export default class JumpseatFrame extends LightningElement {
    @api view = 'session';
    @api height = 200;
    @api title = 'Remote support';
    @api beside = false;
    url;
    problem;
    waiting = false;
    wanted = 0;
    _recordId;
    _heard;

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
        return `height: ${this.wanted || Number(this.height) || 200}px`;
    }

    get hasNoRecord() {
        return !this._recordId && !this.beside;
    }

    connectedCallback() {
        this._heard = (event) => this.hear(event);
        window.addEventListener('message', this._heard);
        if (this.beside) {
            this.load();
        }
    }

    disconnectedCallback() {
        window.removeEventListener('message', this._heard);
    }

    /** The page says how high it is. Only the host is listened to, only this frame, and only a number is taken. */
    hear(event) {
        const frame = this.template.querySelector('iframe');
        if (event.origin !== ORIGIN || !frame || event.source !== frame.contentWindow) {
            return;
        }
        const height = Number(event.data?.height);
        if (event.data?.jumpseat === 1 && event.data.kind === 'height' && height > 0) {
            this.wanted = Math.min(Math.ceil(height), TALLEST);
        }
    }

    async load() {
        const asked = this._recordId;
        this.url = undefined;
        this.problem = undefined;
        this.wanted = 0;
        if (this.hasNoRecord) {
            return;
        }
        this.waiting = true;
        try {
            const address = await (this.beside ? launchBeside() : launch({ recordId: asked }));
            if (asked === this._recordId && address.startsWith(HOST)) {
                this.url = `${address}&show=${COMPONENTS[this.view] ?? 'session'}`;
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
