from tests.browser.conftest import *
import json
AXE=Path("/tmp/axe/axe_playwright_python/axe.min.js").read_text()
def test_axe(shop, browser):
    found=[]
    for scheme,w in (("light",1280),("dark",390)):
            c=browser.new_context(viewport={"width":w,"height":844},color_scheme=scheme); p=c.new_page()
            def check(name):
                p.evaluate(AXE)
                r=p.evaluate("axe.run(document,{runOnly:['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']})")
                for v in r["violations"]: found.append((scheme,w,name,v["id"],v["help"],[n["target"] for n in v["nodes"]][:3]))
                print(name, len(r["passes"]), [v["id"] for v in r["violations"]], [ (v["id"]) for v in r["incomplete"]])
                p.screenshot(path=f"/tmp/shots/axe-{name}-{scheme}-{w}.png",full_page=True)
            o=shop.customer().order("starter-pack","19.99",returnUrl="https://starfall.example/back")
            p.goto(o.url); check("checkout")
            p.get_by_role("button",name="Pay with Sandbox").click(); s=p.url; check("sandbox")
            p.goto(o.url+"/result?check=off"); check("waiting")
            p.goto(o.url); check("checkout again")
            p.goto(s); p.get_by_role("button",name="Decline").click(); p.wait_for_timeout(2500); p.goto(o.url+"/result"); check("failed")
            p.goto(s); p.get_by_role("button",name="Pay",exact=True).click(); p.wait_for_timeout(3500); p.goto(o.url+"/result"); check("done")
            p.goto(s); p.get_by_role("button",name="Refund",exact=True).click(); p.wait_for_timeout(1000); p.goto(s); check("after")
            p.goto(shop.url+"/sandbox/"); check("index")
            p.goto(shop.url+"/sandbox/deliveries/starfall"); check("mailbox")
            p.goto(shop.url+"/checkout/none"); check("notfound")
            o=shop.customer().order(); p.goto(o.url); p.get_by_role("button",name="Pay with Sandbox").click(); p.get_by_role("button",name="Pay, but").click(); p.screenshot(path=f"/tmp/shots/axe-looking-{scheme}-{w}.png",full_page=True)
            c.close()
    print(json.dumps(found,indent=1))
