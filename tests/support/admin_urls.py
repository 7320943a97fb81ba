"""The addresses that the admin's own registry has."""

from django.contrib import admin
from django.urls import URLPattern


def patterns() -> dict[str, list[URLPattern]]:
    """The admin's addresses by the model that they belong to; those of the site itself under nothing."""
    found: dict[str, list[URLPattern]] = {"": []}
    for pattern in admin.site.get_urls():
        if isinstance(pattern, URLPattern):
            found[""].append(pattern)
        else:
            app, model = str(pattern.pattern).strip("/").split("/")
            found[f"{app}.{model}"] = [one for one in pattern.url_patterns if isinstance(one, URLPattern)]
    return found


def pages_of(model: str) -> list[str]:
    """The pages of a model by what follows its name; the address without any leads to the page of a row."""
    names = [pattern.name for pattern in patterns()[model]]
    return [name.removeprefix(f"{model.replace('.', '_')}_") for name in names if name]
