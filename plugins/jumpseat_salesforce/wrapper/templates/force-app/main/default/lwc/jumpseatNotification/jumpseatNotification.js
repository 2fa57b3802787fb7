import { LightningElement, api, wire } from 'lwc';
import { CurrentPageReference } from 'lightning/navigation';

/** Tells in the utility bar that a customer joined a session of the record in front. */
export default class JumpseatNotification extends LightningElement {
    @api height = 200;
    recordId;

    @wire(CurrentPageReference)
    moved(page) {
        this.recordId = page?.attributes?.recordId;
    }
}
