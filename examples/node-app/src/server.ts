import express from "express";

const quotes = ["Rust never sleeps.", "Ship it.", "Weathered, not worn."];
const app = express();
let next = 0;

app.get("/", (_request, response) => {
  response.json({ quote: quotes[next++ % quotes.length], node: process.version });
});

app.get("/healthz", (_request, response) => {
  response.sendStatus(204);
});

const server = app.listen(3000, () => console.log("listening on :3000"));

process.on("SIGTERM", () => server.close(() => process.exit(0)));
