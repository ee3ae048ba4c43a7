"""A to-do list in memory."""

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI(title="To-do")
items: dict[int, str] = {}


class Item(BaseModel):
    text: str


@app.get("/")
def index() -> dict[str, object]:
    return {"service": "to-do", "items": len(items)}


@app.get("/healthz")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/items", status_code=201)
def add(item: Item) -> dict[str, object]:
    number = len(items) + 1
    items[number] = item.text
    return {"id": number, "text": item.text}


@app.get("/items/{number}")
def read(number: int) -> dict[str, object]:
    if number not in items:
        raise HTTPException(status_code=404, detail="no such item")
    return {"id": number, "text": items[number]}
