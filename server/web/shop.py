"""A made-up shop that carries the real script, so that a newcomer clicks around and sees events arrive."""

import re
from dataclasses import dataclass
from functools import partial

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from server.web.rendering import Renderer

SHOP = "/demo/shop"
_WEBSITE = re.compile(r"admx_[A-Za-z0-9]{1,40}")


@dataclass(frozen=True, slots=True)
class Product:
    slug: str
    name: str
    price: int  # US dollars
    text: str


PRODUCTS = (
    Product("trail-jacket", "Trail jacket", 129, "Keeps the rain out for a day's walk. 420 g."),
    Product("day-pack", "Day pack", 79, "Eighteen litres, one of them for a bottle."),
    Product("wool-hat", "Wool hat", 29, "Merino, knitted in one piece."),
    Product("camp-stove", "Camp stove", 99, "Boils a litre in four minutes."),
)
_BY_SLUG = {product.slug: product for product in PRODUCTS}


def shop_routes(renderer: Renderer) -> list[BaseRoute]:
    """`/demo/shop?w=WEBSITE_ID`; without one it is a shop whose visits nobody counts."""
    return [
        Route(SHOP, partial(_page, renderer, "home")),
        Route(f"{SHOP}/products/{{slug}}", partial(_page, renderer, "product")),
        Route(f"{SHOP}/cart", partial(_page, renderer, "cart")),
        Route(f"{SHOP}/thanks", partial(_page, renderer, "thanks")),
    ]


async def _page(renderer: Renderer, view: str, request: Request) -> Response:
    product = _BY_SLUG.get(request.path_params.get("slug", ""))
    if view == "product" and product is None:
        raise HTTPException(404)
    asked = request.query_params.get("w", "")
    website_id = asked if _WEBSITE.fullmatch(asked) else ""
    return renderer.page("shop.html", view=view, product=product, products=PRODUCTS, website_id=website_id, shop=SHOP)
