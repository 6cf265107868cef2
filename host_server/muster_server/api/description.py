# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The OpenAPI document: named components from our models, and only the answers that are sent."""

from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from muster_server.api.views import Problem

_REF = "#/components/schemas/{model}"
_PROBLEM = "application/problem+json"


class Description:
    """Gathers the models that an app's operations name, and puts them into its document."""

    def __init__(self) -> None:
        self._models: dict[str, type[BaseModel]] = {}

    def of(
        self,
        answer: type[BaseModel] | None = None,
        body: type[BaseModel] | None = None,
        status: int = 200,
        kind: str | None = None,
    ) -> dict[str, Any]:
        """Return what a route's decorator is told besides its path.

        Every problem is under `default`.

        `kind` is the media type of an answer that is text of another kind than JSON.
        """
        done: dict[str, Any] = {"description": "Done"}
        if answer is not None:
            done["content"] = {"application/json": {"schema": self._named(answer)}}
        if kind is not None:
            done["content"] = {kind: {"schema": {"type": "string"}}}
        content = {_PROBLEM: {"schema": self._named(Problem)}}
        operation: dict[str, Any] = {"security": [{"token": []}]}
        if body is not None:
            sent = {"application/json": {"schema": self._named(body)}}
            operation["requestBody"] = {"required": True, "content": sent}
        return {
            "status_code": status,
            "response_class": Response,  # of no kind of its own: the answers below have theirs
            # With `default` listed FastAPI adds no 422 of its own form, which is never sent.
            "responses": {
                status: done,
                "default": {"description": "A problem", "content": content},
            },
            "openapi_extra": operation,
        }

    def complete(self, app: FastAPI) -> None:
        """Have the app's document hold the models by name, and say what the token is."""
        made = app.openapi

        def with_components() -> dict[str, Any]:
            document = made()
            models: Any = [(model, "serialization") for model in self._models.values()]
            schemas = models_json_schema(models, ref_template=_REF)[1]["$defs"]
            document["components"] = {
                "schemas": dict(sorted(schemas.items())),
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            }
            return document

        app.openapi = with_components  # type: ignore[method-assign]

    def _named(self, model: type[BaseModel]) -> dict[str, str]:
        self._models[model.__name__] = model
        return {"$ref": _REF.format(model=model.__name__)}
