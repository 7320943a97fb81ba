"""What operators call the models and fields of payments that say no name themselves."""

from lib.backoffice.languages import _
from lib.backoffice.names import name_fields, name_model
from payments.models import (
    Callback,
    Delivery,
    Difference,
    EventReceiver,
    Order,
    Payment,
    Price,
    Product,
    Provider,
    ReconciliationFile,
    ReconciliationSource,
    Refund,
    RefusedCallback,
    Shop,
)

name_model(Callback, _("callback"), _("callbacks"))
name_model(Delivery, _("delivery"), _("deliveries"))
name_model(EventReceiver, _("event receiver"), _("event receivers"))
name_model(Order, _("order"), _("orders"), language=_("language"))
name_model(Payment, _("payment"), _("payments"))
name_model(Price, _("price"), _("prices"), currency=_("currency"))
name_model(
    Product,
    _("product"),
    _("products"),
    game=_("game"),
    name=_("name"),
    credit_currency=_("credit currency"),
    on_sale_from=_("on sale from"),
    on_sale_to=_("on sale to"),
)
name_model(
    Provider,
    _("provider"),
    _("providers"),
    slug=_("slug"),
    name=_("name"),
    scheme=_("scheme"),
    is_active=_("is active"),
    currency=_("currency"),
    allowed_networks=_("allowed networks"),
)
name_model(Refund, _("refund"), _("refunds"), actor=_("actor"))
name_model(RefusedCallback, _("refused callback"), _("refused callbacks"))
name_model(Shop, _("shop"), _("shops"), game=_("game"), return_origins=_("return origins"))
name_fields(
    ReconciliationSource,
    name=_("name"),
    game=_("game"),
    provider=_("provider"),
    format=_("format"),
    encoding=_("encoding"),
    delimiter=_("delimiter"),
    decimal_mark=_("decimal mark"),
    currency=_("currency"),
    tolerance_seconds=_("tolerance in seconds"),
    time_pattern=_("pattern of times"),
    columns=_("columns"),
    words=_("words"),
)
name_fields(
    ReconciliationFile,
    name=_("name"),
    source=_("source"),
    size=_("size"),
    digest=_("SHA-256"),
    uploaded_by=_("uploaded by"),
    covers_from=_("covers from"),
    covers_until=_("covers until"),
    state=_("state"),
    problem=_("problem"),
)
name_fields(
    Difference,
    kind=_("kind"),
    state=_("state"),
    owner=_("owner"),
    note=_("note"),
)
