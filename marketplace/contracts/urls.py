"""Addresses of contracts, the office, the register and the certificate check."""

from django.urls import path

from .views import contract, form, public, registrar

urlpatterns = [
    path("contracts/", contract.contracts, name="contracts"),
    path("contracts/new/", form.new, name="contract_new"),
    path("contracts/from/<str:number>/", form.from_deal_page, name="contract_from_deal"),
    path("contracts/<str:number>/", contract.contract, name="contract"),
    path("contracts/<str:number>/certificate.pdf", contract.certificate_pdf, name="certificate_pdf"),
    path("contracts/<str:number>/files/<int:pk>/", contract.file, name="contract_file"),
    path("contracts/<str:number>/discard/", form.discard, name="contract_discard"),
    path("contracts/<str:number>/<slug:step>/", form.step, name="contract_step"),
    path("registrar/", registrar.queue, name="registrar"),
    path("registrar/<str:form_number>/", registrar.review, name="registrar_review"),
    path("registry/", public.registry, name="registry"),
    path("registry/<str:number>/", public.registry_entry, name="registry_entry"),
    path("verify/", public.verify, name="verify"),
    path("verify/<str:code>/", public.certificate, name="certificate"),
]
