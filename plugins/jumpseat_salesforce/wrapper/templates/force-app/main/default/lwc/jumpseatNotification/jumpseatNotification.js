import { LightningElement, api } from 'lwc';

/** Tells in the utility bar that a customer joined, whichever record is in front. */
export default class JumpseatNotification extends LightningElement {
    @api height = 200;

    get beside() {
        return true;
    }
}
