;; SPDX-License-Identifier: Apache-2.0
;; Policies in Emacs with eglot: put this into ~/.emacs.d/init.el.
(require 'eglot)

;; A policy folder that is not found by itself: (list "pdpctl" "lsp" :initializationOptions '(:folders ["deploy/policies"]))
(add-to-list 'eglot-server-programs (list '(yaml-mode yaml-ts-mode) (or (getenv "PDPCTL") "pdpctl") "lsp"))
(add-hook 'yaml-mode-hook #'eglot-ensure)
(add-hook 'yaml-ts-mode-hook #'eglot-ensure)
