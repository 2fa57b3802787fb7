from jumpseat import hookimpl


@hookimpl
def register_share_channels(host):
    return ["fax"]
